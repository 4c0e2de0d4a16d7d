import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import { int4s, int8s } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";

export interface TenantIdentity {
  tenantId: number;
  identityId: IdentityId;
}

/** The present profiles of identities, without lock. */
export async function readProfilesOf(q: Queries, identities: readonly TenantIdentity[]): Promise<(TenantIdentity & { profileId: ProfileId })[]> {
  return await q.query(
    `select i.tenant_id as "tenantId", i.identity_id as "identityId", i.profile_id as "profileId"
       from unnest($1::int[], $2::bigint[]) n (tenant_id, identity_id)
       join identity i using (tenant_id, identity_id)`,
    [int4s(identities.map((i) => i.tenantId)), int8s(identities.map((i) => i.identityId))],
  );
}
