import type { Db, Queries } from "../../src/stores/postgres/db.ts";
import type { PrebuiltBatch } from "./prebuilt.ts";
import { identityOf } from "./prebuilt.ts";

const chunk = 50_000;

/** Everybody with identities and a row of counters, as after the warm-up of the server. `bytes` is the size of a row's packed part. */
export async function fillState(db: Db, people: number, bytes: number): Promise<void> {
  await db.query("insert into tenant (tenant_id, name, created_at) values (1, 'default', now())");
  for (let from = 0; from < people; from += chunk) {
    // A transaction has more time than a single statement.
    await db.transaction((tx) => insertPeople(db.in(tx), from, Math.min(from + chunk, people) - 1, people, bytes));
  }
  await db.transaction(async (tx) => {
    for (const table of ["identity", "profile_hot"]) await db.in(tx).query(`analyze ${table}`);
  });
}

async function insertPeople(q: Queries, from: number, to: number, people: number, bytes: number): Promise<void> {
  await q.query(
    `insert into identity (tenant_id, identity_id, entity, kind, hash, sealed, profile_id, created_at)
     select 1, 2 * p + k, 'person', case k when 1 then 'external_id' else 'anonymous_id' end, sha256((k || ':' || p)::bytea), ('.user-' || p)::bytea,
            2 * p + 1, now()
       from generate_series($1::bigint, $2::bigint) p, generate_series(1, 2) k`, [from, to]);
  await q.query(
    `insert into identity (tenant_id, identity_id, entity, kind, hash, sealed, profile_id, created_at)
     select 1, $3::bigint + p, 'person', 'email', sha256(('e:' || p)::bytea), ('.person-' || p || '@example.com')::bytea, 2 * p + 1, now()
       from generate_series($1::bigint, $2::bigint) p where p % 4 = 0`, [from, to, identityOf.email(0, people)]);
  await q.query(
    `insert into profile_hot (tenant_id, profile_id, total_events, purchases, revenue, first_seen_ms, last_seen_ms, created_ms, updated_ms, version, aggregates)
     select 1, 2 * p + 1, 1, 0, 0, 1, 1, 1, 1, 1, $3::bytea from generate_series($1::bigint, $2::bigint) p`, [from, to, Buffer.alloc(bytes, 120)]);
}

const ofOneTenant = (ids: number[]): [number[], number[]] => [ids.map(() => 1), ids];

/** One state transaction with no logic: lock and read what the batch touches, write as many bytes back. */
export async function touchState(db: Db, { identities, profiles }: PrebuiltBatch, now: number): Promise<void> {
  await db.transaction(async (tx) => {
    const q = db.in(tx);
    await q.query(
      `select i.tenant_id, i.identity_id, i.entity, i.kind, i.profile_id, i.partners, i.shared, i.frozen
         from identity i join unnest($1::int[], $2::bigint[]) n (tenant_id, identity_id) using (tenant_id, identity_id)
        order by i.tenant_id, i.identity_id for no key update of i`, ofOneTenant(identities));
    const rows = await readHotRows(q, profiles);
    await writeHotRows(q, rows, now);
  });
}

interface HotRow {
  profile_id: number;
  total_events: number;
  aggregates: Buffer;
}

const readHotRows = (q: Queries, profiles: number[]): Promise<HotRow[]> => q.query<HotRow>(
  `select tenant_id, profile_id, total_events, purchases, revenue, first_seen_ms, last_seen_ms, created_ms, updated_ms, memberships, aggregates
     from profile_hot where (tenant_id, profile_id) in (select * from unnest($1::int[], $2::bigint[]))
    order by tenant_id, profile_id for update`, ofOneTenant(profiles));

async function writeHotRows(q: Queries, rows: HotRow[], now: number): Promise<void> {
  const times = rows.map(() => now);
  await q.query(
    `insert into profile_hot (tenant_id, profile_id, total_events, purchases, revenue, first_seen_ms, last_seen_ms, created_ms, updated_ms, version, aggregates)
     select tenant_id, profile_id, total_events, purchases, revenue, seen, seen, seen, seen, 1, aggregates
       from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::numeric[], $6::bigint[], $7::bytea[])
         u (tenant_id, profile_id, total_events, purchases, revenue, seen, aggregates)
     on conflict (tenant_id, profile_id) do update set
       total_events = excluded.total_events, purchases = excluded.purchases, revenue = excluded.revenue,
       first_seen_ms = excluded.first_seen_ms, last_seen_ms = excluded.last_seen_ms, created_ms = excluded.created_ms,
       updated_ms = excluded.updated_ms, version = profile_hot.version + 1, aggregates = excluded.aggregates`,
    [...ofOneTenant(rows.map((row) => row.profile_id)), rows.map((row) => row.total_events), rows.map(() => 0), rows.map(() => "0"), times,
      rows.map((row) => row.aggregates)]);
}
