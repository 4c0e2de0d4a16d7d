import { hash } from "node:crypto";
import type { CanonicalEvent, Identifier } from "../../contracts/canonical-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";
import { priorityOf } from "../../core/tenant-defaults.ts";

/** A `profileId` in a request: names an existing identity by its number. */
export const profileKind = "profile";

export interface HashedIdentifier extends Identifier {
  /** SHA-256 of (pepper, kind, 0, value), one character per byte. */
  hash: string;
}

const utf8BytesMax = 3;

export function hashIdentifier(pepper: Uint8Array, kind: string, value: string): string {
  const text = `${kind}\0${value}`;
  const bytes = Buffer.allocUnsafe(pepper.length + text.length * utf8BytesMax);
  bytes.set(pepper);
  const end = pepper.length + bytes.write(text, pepper.length, "utf8");
  return hash("sha256", bytes.subarray(0, end), "binary");
}

/** The event's identifiers strongest first: priority, then hash. One that PostgreSQL could not store is left out. */
export function orderIdentifiers(event: CanonicalEvent, settings: TenantSettings, pepper: Uint8Array): HashedIdentifier[] {
  return event.identifiers
    .filter(({ kind }) => !kind.includes("\0"))
    .map((one) => ({ ...one, hash: hashIdentifier(pepper, one.kind, one.value), priority: priorityOf(settings, one.kind) }))
    .sort(byStrength);
}

/** Priority, then hash. */
export function byStrength(x: { priority: number; hash: string; entity: string }, y: { priority: number; hash: string; entity: string }): number {
  return y.priority - x.priority || compareText(x.hash, y.hash) || compareText(x.entity, y.entity);
}

const compareText = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
