import type { EventHead, Identifier } from "../../contracts/canonical-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";
import type { IdentityId } from "../../contracts/identity.ts";
import type { Logger } from "../../contracts/logger.ts";
import { inSlices } from "../../core/in-slices.ts";
import { priorityOf } from "../../core/tenant-defaults.ts";
import type { Db } from "../../stores/postgres/db.ts";
import { findByHash, type IdentityName, type NamedIdentity } from "../queries/find-by-hash.ts";
import { insertIdentities, type NewIdentity } from "../queries/insert-identities.ts";
import { readProfilesOf } from "../queries/read-profiles-of.ts";
import { createIdentityCache } from "./identity-cache.ts";
import { byStrength, hashIdentifier, profileKind } from "./order-identifiers.ts";

export interface MintDeps {
  db: Db;
  pepper: Uint8Array;
  settingsOf: (tenantId: number) => TenantSettings;
  log: Logger;
  cacheMax: number;
}

const nameOf = ({ tenantId, entity, hash }: IdentityName): string => `${tenantId}:${entity}:${hash}`;

/** An identifier of the batch, once for all events that name it. */
interface Named extends NewIdentity {
  priority: number;
  id: IdentityId | undefined;
}

/** Gives identifiers their identity ids. Seen ones come from a bounded cache, which holds hashes and never values. */
export function createMint({ db, pepper, settingsOf, log, cacheMax }: MintDeps): (events: readonly EventHead[]) => Promise<IdentityId[][]> {
  const cache = createIdentityCache(cacheMax);

  function nameOne({ tenantId, receivedAt }: EventHead, { entity, kind, value }: Identifier): Named {
    const hash = hashIdentifier(pepper, kind, value);
    const priority = priorityOf(settingsOf(tenantId), kind);
    return { tenantId, entity, kind, value, hash, priority, createdAt: receivedAt, id: cache.get(tenantId, entity, hash) };
  }

  /** Strongest first. An identifier that PostgreSQL could not store is left out. */
  function nameAll(event: EventHead, batch: BatchNames): Named[] {
    const named: Named[] = [];
    for (const identifier of event.identifiers) {
      if (identifier.kind.includes("\0")) continue;
      const ofKind = batch.of(event.tenantId, identifier);
      let one = ofKind.get(identifier.value);
      if (one === undefined) ofKind.set(identifier.value, (one = nameOne(event, identifier)));
      // Nearly always they come in this order.
      const last = named.at(-1);
      named.push(one);
      if (last !== undefined && byStrength(last, one) > 0) named.sort(byStrength);
    }
    return named;
  }

  return async function mint(events) {
    const batch = createBatchNames();
    const named: Named[][] = [];
    await inSlices(events, (event) => named.push(nameAll(event, batch)));
    const unknown = new Map<string, Named>();
    for (const one of batch.all()) if (one.id === undefined) unknown.set(nameOf(one), one);
    const wanted = [...unknown.values()];
    const found = [
      ...(await confirmNumbers(db, wanted.filter(({ kind }) => kind === profileKind), log)),
      ...(await findOrInsert(db, wanted.filter(({ kind }) => kind !== profileKind))),
    ];
    for (const { tenantId, entity, hash, identityId } of found) {
      cache.set(tenantId, entity, hash, identityId);
      const one = unknown.get(nameOf({ tenantId, entity, hash }));
      if (one) one.id = identityId;
    }
    return named.map(idsOf);
  };
}

/** The identifiers of a batch by tenant, entity and kind, of which there are few, and then by value: no text is put together to find one. */
interface BatchNames {
  of(tenantId: number, identifier: Identifier): Map<string, Named>;
  all(): Iterable<Named>;
}

function createBatchNames(): BatchNames {
  const kinds: { tenantId: number; entity: string; kind: string; names: Map<string, Named> }[] = [];
  const byName = new Map<string, Map<string, Named>>();
  return {
    of(tenantId, { entity, kind }) {
      for (const one of kinds) if (one.tenantId === tenantId && one.kind === kind && one.entity === entity) return one.names;
      const name = `${tenantId}\0${entity}\0${kind}`;
      let names = byName.get(name);
      if (names === undefined) byName.set(name, (names = new Map()));
      if (kinds.length < kindsInListMax) kinds.push({ tenantId, entity, kind, names });
      return names;
    },
    *all() {
      for (const names of byName.values()) yield* names.values();
    },
  };
}

/** In a list that is no longer than this a kind is found sooner than by its name. */
const kindsInListMax = 8;

/** Without repetition: an event names a person by a handful of identifiers. */
function idsOf(named: readonly Named[]): IdentityId[] {
  const ids: IdentityId[] = [];
  for (const { id } of named) if (id !== undefined && !ids.includes(id)) ids.push(id);
  return ids;
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
