import type { IdentityId } from "../../contracts/identity.ts";
import { bools, int4s, int8s } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";

export interface PartnerCount {
  tenantId: number;
  id: IdentityId;
  partners: number;
  shared: boolean;
}

export async function writePartners(q: Queries, counts: readonly PartnerCount[]): Promise<void> {
  await q.query(
    `update identity i set partners = n.partners, shared = n.shared
       from unnest($1::int[], $2::bigint[], $3::int[], $4::boolean[]) n (tenant_id, identity_id, partners, shared)
      where i.tenant_id = n.tenant_id and i.identity_id = n.identity_id`,
    [int4s(counts.map((c) => c.tenantId)), int8s(counts.map((c) => c.id)), int4s(counts.map((c) => c.partners)), bools(counts.map((c) => c.shared))],
  );
}
