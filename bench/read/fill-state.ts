import { foldEvent, compact } from "../../src/4-profile/fold.ts";
import { insertHot as insertHotRows } from "../../src/4-profile/queries/profile-rows.ts";
import { emptyState, type ProfileState } from "../../src/4-profile/state.ts";
import { defaultTenantSettings } from "../../src/core/tenant-defaults.ts";
import type { Db, Queries } from "../../src/stores/postgres/db.ts";
import { eventMs, eventsOf, identityOf, kinds, names, slots, startMs, stepMs, tenant, timesOf, type Crowd, type Kind } from "./crowd.ts";
import { filledPartition } from "./fill-history.ts";

const personsPerInsert = 50_000;
const hotPerInsert = 5_000;
const nothing = Buffer.alloc(0);

/** Writes the crowd's identities, links, profiles and traits as the product would have, and the positions of their events. */
export async function fillState(db: Db, pepper: Buffer, crowd: Crowd, tell: (done: number) => void): Promise<void> {
  for (let from = 0; from < crowd.persons; from += personsPerInsert) {
    const to = Math.min(crowd.persons, from + personsPerInsert);
    await db.transaction(async (tx) => {
      const q = db.in(tx);
      for (const kind of kinds) await insertIdentities(q, pepper, crowd, kind, from, to);
      await insertTraits(q, crowd, from, to);
      for (let n = from; n < to; n += hotPerInsert) await insertHot(q, crowd, n, Math.min(to, n + hotPerInsert));
    });
    tell(to);
  }
  await db.query("select setval('identity_id_seq', $1)", [crowd.persons * slots + 1]);
  await db.query("insert into log_partition (partition_id, log_id, shard, low_water) values ($1, 'bench-fill', 0, $2)", [filledPartition, eventsOf(crowd) + 1]);
  for (const table of ["identity", "link", "profile_hot", "profile_trait", "profile_secret"]) await db.query(`vacuum (analyze) ${table}`);
}

const sqlValue = (kind: Kind): string => `'${names[kind].prefix}' || ${kind === "phone" ? "(2000000 + n)" : "n"} || '${names[kind].suffix}'`;
/** Key of event number n: the first half of a SHA-256. */
const sqlKey = "substring(sha256(convert_to(E'1\\n2\\nbench-' || n, 'UTF8')) for 16)";
const sqlMs = "($4::float8 + floor(n * $5::float8))::bigint";

/** The identities of one kind and, but for the strongest, their links to the strongest. */
async function insertIdentities(q: Queries, pepper: Buffer, crowd: Crowd, kind: Kind, from: number, to: number): Promise<void> {
  const slot = kinds.indexOf(kind);
  const { everyNth } = names[kind];
  const own = `n * ${slots} + ${slot + 1}`;
  const representative = `n * ${slots} + 1`;
  // The last kind is everyone's; with the others everyone of the fourth has all, the rest three.
  const group = slot === 0
    ? `case when n % 4 = 0 then array['anonymous_id','device_id','email','external_id','phone'] else array['anonymous_id','email','external_id'] end,
       decode(lpad(to_hex(${sqlMs}), 14, '0') || encode(${sqlKey}, 'hex') || case when n % 4 = 0 then '0004' else '0002' end, 'hex')`
    : "null, null";
  const range = [from, to - 1, everyNth] as const;
  await q.query(
    `insert into identity (tenant_id, identity_id, entity, kind, hash, sealed, profile_id, partners, created_at, kinds, newest)
     select ${tenant}, ${own}, 'person', '${kind}', sha256($6::bytea || '${kind}'::bytea || '\\x00'::bytea || convert_to(${sqlValue(kind)}, 'UTF8')),
            '\\x00'::bytea || convert_to(${sqlValue(kind)}, 'UTF8'), ${representative}, ${slot === 0 ? 0 : 1}, to_timestamp((${sqlMs} + 40) / 1000.0), ${group}
       from generate_series($1::bigint, $2::bigint) n where n % $3::int = 0`,
    [...range, startMs, stepMs(crowd), pepper],
  );
  if (slot === 0) return;
  const ord = `case when n % 4 = 0 then ${slot} else ${kind === "email" ? 1 : 2} end`;
  await q.query(
    `insert into link (tenant_id, a, b, ts_ms, key, ord)
     select ${tenant}, ${representative}, ${own}, ${sqlMs}, ${sqlKey}, ${ord} from generate_series($1::bigint, $2::bigint) n where n % $3::int = 0`,
    [...range, startMs, stepMs(crowd)],
  );
}

async function insertTraits(q: Queries, crowd: Crowd, from: number, to: number): Promise<void> {
  const place = `to_jsonb(${sqlMs}), to_jsonb(encode(${sqlKey}, 'hex'))`;
  const entry = (value: string): string => `jsonb_build_array(${value}, ${place})`;
  for (const [table, column, document] of [
    ["profile_trait", "doc", `jsonb_build_object('plan', ${entry("case when n % 3 = 0 then 'pro' else 'free' end")}, 'country', ${entry("'DE'")}, 'company', ${entry("'Company ' || n % 1000")})::text`],
    ["profile_secret", "sealed", `'\\x00'::bytea || convert_to(jsonb_build_object('email', ${entry(sqlValue("email"))}, 'firstName', ${entry("'Ada ' || n")})::text, 'UTF8')`],
  ] as const) {
    await q.query(
      `insert into ${table} (tenant_id, profile_id, ${column}) select ${tenant}, n * ${slots} + 1, ${document}
         from generate_series($1::bigint, $2::bigint) n where n % $3::int = 0`,
      [from, to - 1, 1, startMs, stepMs(crowd)],
    );
  }
}

async function insertHot(q: Queries, crowd: Crowd, from: number, to: number): Promise<void> {
  const rows = Array.from({ length: to - from }, (_, i) => {
    const n = from + i;
    return { tenantId: tenant, profileId: identityOf(n, "external_id"), state: stateOf(crowd, n), memberships: nothing };
  });
  await insertHotRows(q, rows);
}

/** The state of person n: what folding the person's events gives. */
function stateOf(crowd: Crowd, n: number): ProfileState {
  const state = emptyState();
  const anchor = identityOf(n, "external_id");
  const fold = (ts: number): void =>
    foldEvent(state, { tenantId: tenant, anchor, kind: "track", ts, receivedAt: ts + 40, key: "" }, defaultTenantSettings);
  for (const ts of timesOf(crowd, n)) fold(ts);
  if (n === 0) for (let e = crowd.persons * crowd.events; e < eventsOf(crowd); e++) fold(eventMs(crowd, e));
  compact(state);
  return state;
}
