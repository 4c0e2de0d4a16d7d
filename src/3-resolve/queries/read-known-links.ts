import { bools, int4s, int8s } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import type { TenantLink } from "../steps/tenant-link.ts";

/** Those of the pairs that are on record, as they are there. */
export async function readKnownLinks(q: Queries, links: readonly TenantLink[]): Promise<TenantLink[]> {
  return await q.query<TenantLink>(
    `select l.tenant_id as "tenantId", l.a, l.b, l.manual, l.ts_ms as ts, encode(l.key, 'hex') as key, l.ord
       from unnest($1::int[], $2::bigint[], $3::bigint[], $4::boolean[]) n (tenant_id, a, b, manual)
       join link l using (tenant_id, a, b, manual)`,
    [int4s(links.map((l) => l.tenantId)), int8s(links.map((l) => l.a)), int8s(links.map((l) => l.b)), bools(links.map((l) => l.manual))],
  );
}
