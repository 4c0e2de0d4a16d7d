import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import type { Queries } from "../../stores/postgres/db.ts";

/** The members of profiles, in order. A number that stands for no profile is left out. */
export async function readMembersOf(q: Queries, tenantId: number, profileIds: readonly ProfileId[]): Promise<Map<ProfileId, IdentityId[]>> {
  const rows = await q.query<{ profileId: number; members: number[] }>(
    `select profile_id as "profileId", array_agg(identity_id order by identity_id) as members
       from identity where tenant_id = $1 and profile_id = any($2::bigint[]) group by profile_id`,
    [tenantId, profileIds],
  );
  return new Map(rows.map(({ profileId, members }) => [profileId, members]));
}

export interface StoredIdentifier {
  identityId: IdentityId;
  entity: "person" | "account";
  kind: string;
  sealed: Buffer | null;
  createdAt: number;
}

/** The identifiers of a profile, oldest first. */
export async function readIdentifiersOf(q: Queries, tenantId: number, profileId: ProfileId): Promise<StoredIdentifier[]> {
  return await q.query<StoredIdentifier>(
    `select identity_id as "identityId", entity, kind, sealed, (extract(epoch from created_at) * 1000)::float8 as "createdAt"
       from identity where tenant_id = $1 and profile_id = $2 order by identity_id`,
    [tenantId, profileId],
  );
}
