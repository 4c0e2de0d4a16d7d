import { readProfilesOf } from "../../src/3-resolve/queries/read-profiles-of.ts";
import { byteas, int4s, int8s, texts } from "../../src/stores/postgres/columns.ts";
import type { Db, Queries } from "../../src/stores/postgres/db.ts";
import { numbersOf, piecesOf } from "../../src/stores/postgres/read-columns.ts";
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

const ofOneTenant = (ids: number[]): [Buffer, Buffer] => [int4s(ids.map(() => 1)), int8s(ids)];

/** One state transaction with no logic, in the shapes in which the server reads and writes: what the batch touches, and as many bytes back. */
export async function touchState(db: Db, { identities, profiles }: PrebuiltBatch, now: number): Promise<void> {
  await db.transaction(async (tx) => {
    const q = db.in(tx);
    await readProfilesOf(q, identities.map((identityId) => ({ tenantId: 1, identityId })));
    await writeHotRows(q, await readHotRows(q, profiles), now);
  });
}

interface HotRows {
  profiles: number[];
  totals: number[];
  aggregates: Buffer[];
}

async function readHotRows(q: Queries, profiles: number[]): Promise<HotRows> {
  const [all] = await q.query<{ profiles: string | null; totals: string | null; lengths: string | null; aggregates: Buffer | null }>(
    `select array_agg(profile_id)::text as profiles, array_agg(total_events)::text as totals, array_agg(purchases)::text, array_agg(revenue)::text,
            array_agg(first_seen_ms)::text, array_agg(last_seen_ms)::text, array_agg(created_ms)::text, array_agg(updated_ms)::text, array_agg(version)::text,
            string_agg(memberships, ''), string_agg(aggregates, '') as aggregates, array_agg(length(aggregates))::text as lengths
       from (select * from profile_hot where (tenant_id, profile_id) in (select * from unnest($1::int[], $2::bigint[])) order by tenant_id, profile_id) h`,
    ofOneTenant(profiles),
  );
  if (!all) return { profiles: [], totals: [], aggregates: [] };
  return { profiles: numbersOf(all.profiles), totals: numbersOf(all.totals), aggregates: piecesOf(all.aggregates, numbersOf(all.lengths)) };
}

async function writeHotRows(q: Queries, { profiles, totals, aggregates }: HotRows, now: number): Promise<void> {
  const times = int8s(profiles.map(() => now));
  await q.query(
    `update profile_hot h set total_events = n.total_events, purchases = n.purchases, revenue = n.revenue::numeric, first_seen_ms = n.seen,
            last_seen_ms = n.seen, created_ms = n.seen, updated_ms = n.seen, version = h.version + 1, aggregates = n.aggregates
       from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bytea[])
         n (tenant_id, profile_id, total_events, purchases, revenue, seen, aggregates)
      where h.tenant_id = n.tenant_id and h.profile_id = n.profile_id`,
    [...ofOneTenant(profiles), int8s(totals), int8s(profiles.map(() => 0)), texts(profiles.map(() => "0")), times, byteas(aggregates)]);
}
