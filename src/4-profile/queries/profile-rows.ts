import type { ProfileId } from "../../contracts/identity.ts";
import { microsFromDecimal, microsToDecimal } from "../../core/money.ts";
import type { Queries } from "../../stores/postgres/db.ts";
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
}

interface HotRow {
  tenantId: number;
  profileId: number;
  totalEvents: number;
  purchases: number;
  revenue: string;
  firstSeen: number;
  lastSeen: number;
  createdAt: number;
  updatedAt: number;
  memberships: Buffer;
  aggregates: Buffer;
}

const hotColumns = `tenant_id as "tenantId", profile_id as "profileId", total_events as "totalEvents", purchases, revenue,
  first_seen_ms as "firstSeen", last_seen_ms as "lastSeen", created_ms as "createdAt", updated_ms as "updatedAt", memberships, aggregates`;

const columns = (keys: ProfileKey[]): [number[], number[]] => [keys.map((key) => key.tenantId), keys.map((key) => key.profileId)];

/** Hot rows by profile key, without traits; with `lock` in key order and held until the transaction ends. */
export async function readHot(q: Queries, keys: ProfileKey[], lock: boolean): Promise<Map<string, StoredState>> {
  const rows = await q.query<HotRow>(
    `select ${hotColumns} from profile_hot
      where (tenant_id, profile_id) in (select * from unnest($1::int[], $2::bigint[]))
      order by tenant_id, profile_id ${lock ? "for update" : ""}`,
    columns(keys),
  );
  return new Map(rows.map((row) => [keyOf(row), stateOf(row)]));
}

function stateOf(row: HotRow): StoredState {
  const { totalEvents, purchases, firstSeen, lastSeen, createdAt, updatedAt, memberships } = row;
  const state: StoredState = { ...emptyState(), totalEvents, purchases, firstSeen, lastSeen, createdAt, updatedAt, memberships };
  state.revenue = microsFromDecimal(row.revenue);
  unpackAggregates(row.aggregates, state);
  return state;
}

/** A whole profile in one statement, traits included; undefined when it has had no event. */
export async function readProfile(q: Queries, key: ProfileKey): Promise<StoredState | undefined> {
  const [row] = await q.query<HotRow & { doc: string | null; sealed: Buffer | null }>(
    `select ${hotColumns}, t.doc, s.sealed
       from profile_hot left join profile_trait t using (tenant_id, profile_id) left join profile_secret s using (tenant_id, profile_id)
      where tenant_id = $1 and profile_id = $2`,
    [key.tenantId, key.profileId],
  );
  if (!row) return undefined;
  const state = stateOf(row);
  readDocuments(row, state);
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

export async function writeHot(q: Queries, rows: (Written & { memberships: Buffer })[]): Promise<void> {
  const states = rows.map((row) => row.state);
  await q.query(
    `insert into profile_hot (tenant_id, profile_id, total_events, purchases, revenue, first_seen_ms, last_seen_ms, created_ms, updated_ms, version, memberships, aggregates)
     select tenant_id, profile_id, total_events, purchases, revenue, first_seen, last_seen, created, updated, 1, memberships, aggregates
       from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::numeric[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bytea[], $11::bytea[])
         u(tenant_id, profile_id, total_events, purchases, revenue, first_seen, last_seen, created, updated, memberships, aggregates)
     on conflict (tenant_id, profile_id) do update set
       total_events = excluded.total_events, purchases = excluded.purchases, revenue = excluded.revenue,
       first_seen_ms = excluded.first_seen_ms, last_seen_ms = excluded.last_seen_ms, created_ms = excluded.created_ms,
       updated_ms = excluded.updated_ms, version = profile_hot.version + 1, memberships = excluded.memberships, aggregates = excluded.aggregates`,
    [
      ...columns(rows),
      states.map((state) => state.totalEvents),
      states.map((state) => state.purchases),
      states.map((state) => microsToDecimal(state.revenue)),
      states.map((state) => state.firstSeen),
      states.map((state) => state.lastSeen),
      states.map((state) => state.createdAt),
      states.map((state) => state.updatedAt),
      rows.map((row) => row.memberships),
      states.map((state) => packAggregates(state)),
    ],
  );
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
      [...columns(open), open.map((row) => encodeTraits(row.open))],
    );
  }
  if (personal.length > 0) {
    await q.query(
      `insert into profile_secret (tenant_id, profile_id, sealed) select * from unnest($1::int[], $2::bigint[], $3::bytea[])
       on conflict (tenant_id, profile_id) do update set sealed = excluded.sealed`,
      [...columns(personal), personal.map((row) => Buffer.concat([Buffer.of(0), Buffer.from(encodeTraits(row.personal))]))],
    );
  }
}

/** Removes the rows of profiles that no longer exist, or whose documents are written anew. */
export async function deleteProfiles(q: Queries, keys: ProfileKey[], tables: readonly ("profile_hot" | "profile_trait" | "profile_secret")[]): Promise<void> {
  if (keys.length === 0) return;
  for (const table of tables) {
    await q.query(`delete from ${table} where (tenant_id, profile_id) in (select * from unnest($1::int[], $2::bigint[]))`, columns(keys));
  }
}
