import type { ProfileId } from "../../contracts/identity.ts";
import type { KeptApart, Link } from "../../contracts/link-rule.ts";
import { int4s, int8s } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";

export interface KeptApartPairs {
  keptApart: (KeptApart & { profileA: ProfileId; profileB: ProfileId })[];
  /** Manual links on the same two ends: a later one lifts the pair. */
  manualLinks: Link[];
}

/** The kept-apart pairs between, or within, these profiles. */
export async function readKeptApart(q: Queries, profiles: readonly { tenantId: number; profileId: ProfileId }[]): Promise<KeptApartPairs> {
  // Most tenants have none, and looking at every member of the profiles takes long.
  const some = await q.query("select from kept_apart where tenant_id = any($1) limit 1", [[...new Set(profiles.map((p) => p.tenantId))]]);
  if (some.length === 0) return { keptApart: [], manualLinks: [] };
  const rows = await q.query<KeptApartPairs["keptApart"][number] & { ts: number | null; key: string; ord: number }>(
    `with touched as (select * from unnest($1::int[], $2::bigint[]) t (tenant_id, profile_id))
     select k.a, k.b, k.decided_ms as "decidedMs", x.profile_id as "profileA", y.profile_id as "profileB",
            l.ts_ms as ts, encode(l.key, 'hex') as key, l.ord
       from kept_apart k
       join identity x on x.tenant_id = k.tenant_id and x.identity_id = k.a
       join identity y on y.tenant_id = k.tenant_id and y.identity_id = k.b
       left join link l on l.tenant_id = k.tenant_id and l.a = k.a and l.b = k.b and l.manual
      where (x.tenant_id, x.profile_id) in (select * from touched) and (y.tenant_id, y.profile_id) in (select * from touched)`,
    [int4s(profiles.map((p) => p.tenantId)), int8s(profiles.map((p) => p.profileId))],
  );
  return {
    keptApart: rows.map(({ a, b, decidedMs, profileA, profileB }) => ({ a, b, decidedMs, profileA, profileB })),
    manualLinks: rows.flatMap(({ a, b, ts, key, ord }) => (ts === null ? [] : [{ a, b, manual: true, ts, key, ord }])),
  };
}
