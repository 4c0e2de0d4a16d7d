import { LRUCache } from "lru-cache";
import type { CanonicalEvent } from "../../contracts/canonical-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";
import type { IdentityId } from "../../contracts/identity.ts";
import type { Logger } from "../../contracts/logger.ts";
import type { Db } from "../../stores/postgres/db.ts";
import { findByHash, type IdentityName, type NamedIdentity } from "../queries/find-by-hash.ts";
import { insertIdentities, type NewIdentity } from "../queries/insert-identities.ts";
import { readProfilesOf } from "../queries/read-profiles-of.ts";
import { orderIdentifiers, profileKind } from "./order-identifiers.ts";

export interface MintDeps {
  db: Db;
  pepper: Uint8Array;
  settingsOf: (tenantId: number) => TenantSettings;
  log: Logger;
  cacheMax: number;
}

const nameOf = ({ tenantId, entity, hash }: IdentityName): string => `${tenantId}:${entity}:${hash}`;

/** Gives identifiers their identity ids. Seen ones come from a bounded cache, which holds hashes and never values. */
export function createMint({ db, pepper, settingsOf, log, cacheMax }: MintDeps): (events: readonly CanonicalEvent[]) => Promise<IdentityId[][]> {
  const cache = new LRUCache<string, IdentityId>({ max: cacheMax });

  function namesOf(event: CanonicalEvent, seen: Map<string, NewIdentity>): string[] {
    const { tenantId, receivedAt } = event;
    return orderIdentifiers(event, settingsOf(tenantId), pepper).map(({ entity, kind, value, hash }) => {
      const name = nameOf({ tenantId, entity, hash });
      if (!seen.has(name)) seen.set(name, { tenantId, entity, kind, value, hash, createdAt: receivedAt });
      return name;
    });
  }

  return async function mint(events) {
    const seen = new Map<string, NewIdentity>();
    const names = events.map((event) => namesOf(event, seen));
    const ids = new Map<string, IdentityId>();
    const unknown: NewIdentity[] = [];
    for (const [name, identity] of seen) {
      const id = cache.get(name);
      if (id === undefined) unknown.push(identity);
      else ids.set(name, id);
    }
    const found = [
      ...(await confirmNumbers(db, unknown.filter(({ kind }) => kind === profileKind), log)),
      ...(await findOrInsert(db, unknown.filter(({ kind }) => kind !== profileKind))),
    ];
    for (const identity of found) {
      ids.set(nameOf(identity), identity.identityId);
      cache.set(nameOf(identity), identity.identityId);
    }
    return names.map((own) => [...new Set(own.map((name) => ids.get(name)).filter((id) => id !== undefined))]);
  };
}

/** A profile id in a request is a number that was given out. One that names no identity of the tenant counts for nothing. */
async function confirmNumbers(db: Db, wanted: readonly NewIdentity[], log: Logger): Promise<NamedIdentity[]> {
  if (wanted.length === 0) return [];
  const numbered = wanted.map((one) => ({ ...one, identityId: /^\d{1,16}$/.test(one.value) ? Number(one.value) : 0 }));
  const rows = await readProfilesOf(db, numbered);
  const existing = new Set(rows.map(({ tenantId, identityId }) => `${tenantId}:${identityId}`));
  const [confirmed, strange] = [true, false].map((yes) => numbered.filter((one) => existing.has(`${one.tenantId}:${one.identityId}`) === yes));
  for (const { tenantId } of strange ?? []) log.warn({ tenantId }, "an event names a profile number that the tenant does not have");
  return confirmed ?? [];
}

/** Committed when it resolves, so that no id can leave the database and be given out again after a crash. */
async function findOrInsert(db: Db, wanted: readonly NewIdentity[]): Promise<NamedIdentity[]> {
  if (wanted.length === 0) return [];
  const found = await findByHash(db, wanted);
  const missing = without(wanted, found);
  if (missing.length === 0) return found;
  const minted = await db.transaction(async (tx) => {
    const inserted = await insertIdentities(db.in(tx), missing);
    const lostToOthers = without(missing, inserted);
    return lostToOthers.length === 0 ? inserted : [...inserted, ...(await findByHash(db.in(tx), lostToOthers))];
  });
  return [...found, ...minted];
}

function without(wanted: readonly NewIdentity[], found: readonly NamedIdentity[]): NewIdentity[] {
  const names = new Set(found.map(nameOf));
  return wanted.filter((one) => !names.has(nameOf(one)));
}
