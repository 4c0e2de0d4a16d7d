import type { ProfileId } from "../../contracts/identity.ts";
import { microsFromDecimal, microsToDecimal } from "../../core/money.ts";
import { byteas, int4s, int8s, texts } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { numbersOf, piecesOf, wordsOf } from "../../stores/postgres/read-columns.ts";
import { StateMovedError } from "../../stores/postgres/state-moved-error.ts";
import { packAggregates, unpackAggregates } from "../pack.ts";
import { emptyState, stateLimits, type ProfileState } from "../state.ts";
import { decodeTraits, encodeTraits, splitTraits } from "../traits.ts";

export interface ProfileKey {
  tenantId: number;
  profileId: ProfileId;
}

export const keyOf = ({ tenantId, profileId }: ProfileKey): string => `${tenantId}:${profileId}`;

/** A state without its traits as its row keeps it. */
export interface StoredState extends ProfileState {
  /** What segment evaluation keeps of the profile, empty when that is nothing. */
  memberships: Buffer;
  /** Grows by one with every write: a row may only be written over in the version it was read in. */
  version: number;
}

export interface HotRow {
  tenantId: number;
  profileId: number;
  totalEvents: number;
  purchases: number;
  revenue: string;
  firstSeen: number;
  lastSeen: number;
  createdAt: number;
  updatedAt: number;
  version: number;
  memberships: Buffer;
  aggregates: Buffer;
}

/** The columns of `HotRow`, of the table under that name. */
export const hotColumns = (table: string): string => `${table}.tenant_id as "tenantId", ${table}.profile_id as "profileId", ${table}.total_events as "totalEvents",
  ${table}.purchases, ${table}.revenue, ${table}.first_seen_ms as "firstSeen", ${table}.last_seen_ms as "lastSeen", ${table}.created_ms as "createdAt",
  ${table}.updated_ms as "updatedAt", ${table}.version, ${table}.memberships, ${table}.aggregates`;

const columns = (keys: ProfileKey[]): [Buffer, Buffer] => [int4s(keys.map((key) => key.tenantId)), int8s(keys.map((key) => key.profileId))];

/** Rows of one answer: each may have some 20 KB, and they come as one text. */
const readMax = 2000;

/** Hot rows by profile key, without traits; with `lock` in key order and locked until the transaction ends. */
export async function readHot(q: Queries, keys: ProfileKey[], lock: boolean): Promise<Map<string, StoredState>> {
  const states = new Map<string, StoredState>();
  const ordered = lock ? keys.toSorted((a, b) => a.tenantId - b.tenantId || a.profileId - b.profileId) : keys;
  for (let from = 0; from < ordered.length; from += readMax) {
    for (const row of await readSome(q, ordered.slice(from, from + readMax), lock)) states.set(keyOf(row), stateOf(row));
  }
  return states;
}

type HotColumns = Record<"tenantIds" | "profileIds" | "totals" | "purchases" | "revenues" | "firsts" | "lasts" | "createds" | "updateds" | "versions", string | null>
  & Record<"memberships" | "aggregates", Buffer | null> & Record<"membershipLengths" | "aggregateLengths", string | null>;

async function readSome(q: Queries, keys: ProfileKey[], lock: boolean): Promise<HotRow[]> {
  const [all] = await q.query<HotColumns>(
    `select array_agg(tenant_id)::text as "tenantIds", array_agg(profile_id)::text as "profileIds", array_agg(total_events)::text as totals,
            array_agg(purchases)::text as purchases, array_agg(revenue)::text as revenues, array_agg(first_seen_ms)::text as firsts,
            array_agg(last_seen_ms)::text as lasts, array_agg(created_ms)::text as createds, array_agg(updated_ms)::text as updateds,
            array_agg(version)::text as versions, string_agg(memberships, '') as memberships, array_agg(length(memberships))::text as "membershipLengths",
            string_agg(aggregates, '') as aggregates, array_agg(length(aggregates))::text as "aggregateLengths"
       from (select * from profile_hot where (tenant_id, profile_id) in (select * from unnest($1::int[], $2::bigint[]))
              order by tenant_id, profile_id ${lock ? "for update" : ""}) h`,
    columns(keys),
  );
  if (!all) return [];
  const [profileIds, totals, purchases, revenues] = [numbersOf(all.profileIds), numbersOf(all.totals), numbersOf(all.purchases), wordsOf(all.revenues)];
  const [firsts, lasts, createds, updateds] = [numbersOf(all.firsts), numbersOf(all.lasts), numbersOf(all.createds), numbersOf(all.updateds)];
  const versions = numbersOf(all.versions);
  const memberships = piecesOf(all.memberships, numbersOf(all.membershipLengths));
  const aggregates = piecesOf(all.aggregates, numbersOf(all.aggregateLengths));
  return numbersOf(all.tenantIds).map((tenantId, at) => ({
    tenantId,
    profileId: profileIds[at] as number,
    totalEvents: totals[at] as number,
    purchases: purchases[at] as number,
    revenue: revenues[at] as string,
    firstSeen: firsts[at] as number,
    lastSeen: lasts[at] as number,
    createdAt: createds[at] as number,
    updatedAt: updateds[at] as number,
    version: versions[at] as number,
    memberships: memberships[at] as Buffer,
    aggregates: aggregates[at] as Buffer,
  }));
}

function stateOf(row: HotRow): StoredState {
  const { totalEvents, purchases, firstSeen, lastSeen, createdAt, updatedAt, version, memberships } = row;
  const state: StoredState = { ...emptyState(), totalEvents, purchases, firstSeen, lastSeen, createdAt, updatedAt, version, memberships };
  state.revenue = microsFromDecimal(row.revenue);
  unpackAggregates(row.aggregates, state);
  return state;
}

/** A whole profile, of its hot row and its trait documents. */
export function stateOfRow(row: HotRow, documents: { doc: string | null; sealed: Buffer | null }): StoredState {
  const state = stateOf(row);
  readDocuments(documents, state);
  return state;
}

function readDocuments({ doc, sealed }: { doc: string | null; sealed: Buffer | null }, { traits }: ProfileState): void {
  if (doc !== null) decodeTraits(doc, traits);
  if (sealed !== null) decodeTraits(sealed.toString("utf8", 1), traits);
}

/** Reads both halves of the trait documents into the states that are asked for. */
export async function readTraits(q: Queries, keys: ProfileKey[], states: Map<string, ProfileState>): Promise<void> {
  if (keys.length === 0) return;
  const rows = await q.query<ProfileKey & { doc: string | null; sealed: Buffer | null }>(
    `select k.tenant_id as "tenantId", k.profile_id as "profileId", t.doc, s.sealed
       from unnest($1::int[], $2::bigint[]) k(tenant_id, profile_id)
       left join profile_trait t using (tenant_id, profile_id)
       left join profile_secret s using (tenant_id, profile_id)`,
    columns(keys),
  );
  for (const row of rows) {
    const state = states.get(keyOf(row));
    if (state) readDocuments(row, state);
  }
}

type Written = ProfileKey & { state: ProfileState };

type HotWritten = Written & { memberships: Buffer };

const hotNames = "tenant_id, profile_id, total_events, purchases, revenue, first_seen_ms, last_seen_ms, created_ms, updated_ms, memberships, aggregates";
const hotUnnest = `unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bytea[], $11::bytea[]`;

function hotValues(rows: HotWritten[]): Buffer[] {
  const states = rows.map((row) => row.state);
  return [
    ...columns(rows),
    int8s(states.map((state) => state.totalEvents)),
    int8s(states.map((state) => state.purchases)),
    texts(states.map((state) => microsToDecimal(state.revenue))),
    int8s(states.map((state) => state.firstSeen)),
    int8s(states.map((state) => state.lastSeen)),
    int8s(states.map((state) => state.createdAt)),
    int8s(states.map((state) => state.updatedAt)),
    byteas(rows.map((row) => row.memberships)),
    byteas(states.map((state) => packAggregates(state))),
  ];
}

/**
 * Writes rows of profiles that had none. Throws StateMovedError when one of them has one by now. Versions begin at the present
 * microsecond, so that a row that is removed and made again does not come back to a version it had.
 */
export async function insertHot(q: Queries, rows: HotWritten[]): Promise<void> {
  if (rows.length === 0) return;
  await expectAll(rows.length, q.query(
    `with written as (
       insert into profile_hot (${hotNames}, version)
       select tenant_id, profile_id, total_events, purchases, revenue::numeric, first_seen_ms, last_seen_ms, created_ms, updated_ms, memberships, aggregates,
              (extract(epoch from clock_timestamp()) * 1000000)::bigint
         from ${hotUnnest}) n (${hotNames})
       on conflict do nothing returning 1)
     select count(*)::int as n from written`,
    hotValues(rows),
  ));
}

/** Writes over rows in the version they were read in. Throws StateMovedError when one of them has moved on, or is gone. */
export async function updateHot(q: Queries, rows: (HotWritten & { version: number })[]): Promise<void> {
  if (rows.length === 0) return;
  await expectAll(rows.length, q.query(
    `with written as (
       update profile_hot h set
         total_events = n.total_events, purchases = n.purchases, revenue = n.revenue::numeric, first_seen_ms = n.first_seen_ms,
         last_seen_ms = n.last_seen_ms, created_ms = n.created_ms, updated_ms = n.updated_ms, version = h.version + 1,
         memberships = n.memberships, aggregates = n.aggregates
         from ${hotUnnest}, $12::bigint[]) n (${hotNames}, version)
        where h.tenant_id = n.tenant_id and h.profile_id = n.profile_id and h.version = n.version returning 1)
     select count(*)::int as n from written`,
    [...hotValues(rows), int8s(rows.map((row) => row.version))],
  ));
}

/** Removes rows in the version they were read in. Throws StateMovedError when one of them has moved on, or is gone. */
export async function deleteHot(q: Queries, rows: (ProfileKey & { version: number })[]): Promise<void> {
  if (rows.length === 0) return;
  await expectAll(rows.length, q.query(
    `with written as (
       delete from profile_hot h using unnest($1::int[], $2::bigint[], $3::bigint[]) n (tenant_id, profile_id, version)
        where h.tenant_id = n.tenant_id and h.profile_id = n.profile_id and h.version = n.version returning 1)
     select count(*)::int as n from written`,
    [...columns(rows), int8s(rows.map((row) => row.version))],
  ));
}

async function expectAll(rows: number, written: Promise<{ n?: number }[]>): Promise<void> {
  const [answer] = await written;
  if (answer?.n !== rows) throw new StateMovedError(`${answer?.n} of ${rows} profile rows were as they had been read`);
}

/** Writes both trait documents. Personal traits go to `profile_secret` alone. */
export async function writeTraits(q: Queries, rows: Written[]): Promise<void> {
  const split = rows.map((row) => ({ ...row, ...splitTraits(row.state.traits) }));
  // A full set of traits may have pushed the last one of a document out.
  const isFull = (row: Written): boolean => row.state.traits.size >= stateLimits.traits;
  const open = split.filter((row) => row.open.size > 0 || isFull(row));
  const personal = split.filter((row) => row.personal.size > 0 || isFull(row));
  if (open.length > 0) {
    await q.query(
      `insert into profile_trait (tenant_id, profile_id, doc) select * from unnest($1::int[], $2::bigint[], $3::text[])
       on conflict (tenant_id, profile_id) do update set doc = excluded.doc`,
      [...columns(open), texts(open.map((row) => encodeTraits(row.open)))],
    );
  }
  if (personal.length > 0) {
    await q.query(
      `insert into profile_secret (tenant_id, profile_id, sealed) select * from unnest($1::int[], $2::bigint[], $3::bytea[])
       on conflict (tenant_id, profile_id) do update set sealed = excluded.sealed`,
      [...columns(personal), byteas(personal.map((row) => Buffer.concat([Buffer.of(0), Buffer.from(encodeTraits(row.personal))])))],
    );
  }
}

/** Removes the trait documents of profiles that no longer exist, or whose documents are written anew. */
export async function deleteTraits(q: Queries, keys: ProfileKey[]): Promise<void> {
  if (keys.length === 0) return;
  for (const table of ["profile_trait", "profile_secret"]) {
    await q.query(
      `delete from ${table} t using unnest($1::int[], $2::bigint[]) n (tenant_id, profile_id) where t.tenant_id = n.tenant_id and t.profile_id = n.profile_id`,
      columns(keys),
    );
  }
}
