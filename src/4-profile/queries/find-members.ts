import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import type { Queries } from "../../stores/postgres/db.ts";

/** The profile that an identity belongs to now, and all identities of it; undefined when the tenant has no such identity. */
export async function findMembers(q: Queries, tenantId: number, identityId: IdentityId): Promise<{ profileId: ProfileId; members: IdentityId[] } | undefined> {
  const [row] = await q.query<{ profileId: ProfileId; members: IdentityId[] }>(
    `select i.profile_id as "profileId", array(select m.identity_id from identity m where m.tenant_id = i.tenant_id and m.profile_id = i.profile_id) as members
       from identity i where i.tenant_id = $1 and i.identity_id = $2`,
    [tenantId, identityId],
  );
  return row;
}
