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

export function hashIdentifier(pepper: Uint8Array, kind: string, value: string): string {
  return hash("sha256", Buffer.concat([pepper, Buffer.from(`${kind}\0${value}`)]), "binary");
}

/** The event's identifiers strongest first: priority, then hash. One that PostgreSQL could not store is left out. */
export function orderIdentifiers(event: CanonicalEvent, settings: TenantSettings, pepper: Uint8Array): HashedIdentifier[] {
  return event.identifiers
    .filter(({ kind }) => !kind.includes("\0"))
    .map((one) => ({ ...one, hash: hashIdentifier(pepper, one.kind, one.value), priority: priorityOf(settings, one.kind) }))
    .sort((x, y) => y.priority - x.priority || compareText(x.hash, y.hash) || compareText(x.entity, y.entity));
}

const compareText = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
