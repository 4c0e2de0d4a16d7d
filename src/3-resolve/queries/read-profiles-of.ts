import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import { int4s, int8s } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { numbersOf, type AggregatedNumbers } from "../../stores/postgres/read-columns.ts";

export interface TenantIdentity {
  tenantId: number;
  identityId: IdentityId;
}

/** The present profiles of identities, without lock. Ones that do not exist are left out. */
export async function readProfilesOf(q: Queries, identities: readonly TenantIdentity[]): Promise<(TenantIdentity & { profileId: ProfileId })[]> {
  const [found] = await q.query<{ places: AggregatedNumbers; profiles: AggregatedNumbers }>(
    `select array_agg(n.place)::text as places, array_agg(i.profile_id)::text as profiles
       from unnest($1::int[], $2::bigint[]) with ordinality n (tenant_id, identity_id, place)
       join identity i using (tenant_id, identity_id)`,
    [int4s(identities.map((i) => i.tenantId)), int8s(identities.map((i) => i.identityId))],
  );
  const profiles = numbersOf(found?.profiles ?? null);
  return numbersOf(found?.places ?? null).map((place, at) => {
    const { tenantId, identityId } = identities[place - 1] as TenantIdentity;
    return { tenantId, identityId, profileId: profiles[at] as ProfileId };
  });
}
