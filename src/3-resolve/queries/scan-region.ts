import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import type { Queries } from "../../stores/postgres/db.ts";

export interface RegionMember {
  tenantId: number;
  id: IdentityId;
  profileId: ProfileId;
}

/**
 * All identities that hang together with these profiles by links, refused ones included, and by profiles: whatever a late
 * link can change lies within. Links of shared identifiers are void and lead nowhere. Stops after `limit` rows.
 * Everything hangs on the row of the recursion (`lateral`), else the planner reads the tenant instead of the region.
 * Members are reached through the identity that represents them, so that a large profile is read once, not once per member.
 */
export async function scanRegion(q: Queries, profiles: readonly { tenantId: number; profileId: ProfileId }[], limit: number): Promise<RegionMember[]> {
  return await q.query<RegionMember>(
    `with recursive region (tenant_id, identity_id, profile_id, shared) as (
       select i.tenant_id, i.identity_id, i.profile_id, i.shared
         from unnest($1::int[], $2::bigint[]) s (tenant_id, identity_id)
         join identity i using (tenant_id, identity_id)
       union
       select n.*
         from region r
        cross join lateral (
          select o.tenant_id, o.identity_id, o.profile_id, o.shared
            from link l join identity o on o.tenant_id = l.tenant_id and o.identity_id = l.b
           where l.tenant_id = r.tenant_id and l.a = r.identity_id and (l.manual or not (r.shared or o.shared))
           union all
          select o.tenant_id, o.identity_id, o.profile_id, o.shared
            from link l join identity o on o.tenant_id = l.tenant_id and o.identity_id = l.a
           where l.tenant_id = r.tenant_id and l.b = r.identity_id and (l.manual or not (r.shared or o.shared))
           union all
          select o.tenant_id, o.identity_id, o.profile_id, o.shared
            from identity o where o.tenant_id = r.tenant_id and o.identity_id = r.profile_id
           union all
          select o.tenant_id, o.identity_id, o.profile_id, o.shared
            from identity o where r.identity_id = r.profile_id and o.tenant_id = r.tenant_id and o.profile_id = r.profile_id
        ) n
     )
     select tenant_id as "tenantId", identity_id as id, profile_id as "profileId" from region limit $3`,
    [profiles.map((p) => p.tenantId), profiles.map((p) => p.profileId), limit],
  );
}
