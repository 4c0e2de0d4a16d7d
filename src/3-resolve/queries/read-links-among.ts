import { int4s, int8s } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import type { TenantLink } from "../steps/tenant-link.ts";
import type { TenantIdentity } from "./read-profiles-of.ts";

/** The links of which both ends are among these identities, but for the void ones of shared identifiers. */
export async function readLinksAmong(q: Queries, identities: readonly TenantIdentity[]): Promise<TenantLink[]> {
  return await q.query<TenantLink>(
    `with region as materialized (
       select i.tenant_id, i.identity_id, i.shared
         from unnest($1::int[], $2::bigint[]) n (tenant_id, identity_id) join identity i using (tenant_id, identity_id)
     )
     select l.tenant_id as "tenantId", l.a, l.b, l.manual, l.ts_ms as ts, encode(l.key, 'hex') as key, l.ord
       from region x
       join link l on l.tenant_id = x.tenant_id and l.a = x.identity_id
       join region y on y.tenant_id = l.tenant_id and y.identity_id = l.b
      where l.manual or not (x.shared or y.shared)`,
    [int4s(identities.map((i) => i.tenantId)), int8s(identities.map((i) => i.identityId))],
  );
}
