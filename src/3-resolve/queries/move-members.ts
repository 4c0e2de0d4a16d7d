import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import { int4s, int8s } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";

/** Gives all members of each absorbed profile to its survivor, but for the one that represents it. */
export async function moveProfiles(q: Queries, moves: readonly { tenantId: number; from: ProfileId; to: ProfileId }[]): Promise<void> {
  await q.query(
    `update identity i set profile_id = n.survivor
       from unnest($1::int[], $2::bigint[], $3::bigint[]) n (tenant_id, absorbed, survivor)
      where i.tenant_id = n.tenant_id and i.profile_id = n.absorbed and i.identity_id <> n.absorbed`,
    [int4s(moves.map((m) => m.tenantId)), int8s(moves.map((m) => m.from)), int8s(moves.map((m) => m.to))],
  );
}

/** Gives single identities to a profile. */
export async function moveMembers(q: Queries, moves: readonly { tenantId: number; id: IdentityId; to: ProfileId }[]): Promise<void> {
  await q.query(
    `update identity i set profile_id = n.profile_id
       from unnest($1::int[], $2::bigint[], $3::bigint[]) n (tenant_id, identity_id, profile_id)
      where i.tenant_id = n.tenant_id and i.identity_id = n.identity_id`,
    [int4s(moves.map((m) => m.tenantId)), int8s(moves.map((m) => m.id)), int8s(moves.map((m) => m.to))],
  );
}
