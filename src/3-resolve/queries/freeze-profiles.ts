import type { ProfileId } from "../../contracts/identity.ts";
import type { Queries } from "../../stores/postgres/db.ts";

/** Marks all members of profiles as frozen, or no longer. */
export async function freezeProfiles(q: Queries, profiles: readonly { tenantId: number; profileId: ProfileId }[], frozen: boolean): Promise<void> {
  await q.query(
    `update identity i set frozen = $3
       from unnest($1::int[], $2::bigint[]) n (tenant_id, profile_id)
      where i.tenant_id = n.tenant_id and i.profile_id = n.profile_id and i.frozen <> $3`,
    [profiles.map((p) => p.tenantId), profiles.map((p) => p.profileId), frozen],
  );
}
