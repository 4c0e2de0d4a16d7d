import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import { byteas, int4s, texts } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";

export interface IdentityName {
  tenantId: number;
  entity: string;
  /** One character per byte. */
  hash: string;
}

export interface NamedIdentity extends IdentityName {
  identityId: IdentityId;
}

/** The identities that exist under these names, with their present profiles. */
export async function findByHash(q: Queries, names: readonly IdentityName[]): Promise<(NamedIdentity & { profileId: ProfileId })[]> {
  const rows = await q.query<{ tenantId: number; entity: string; hash: Buffer; identityId: number; profileId: number }>(
    `select i.tenant_id as "tenantId", i.entity, i.hash, i.identity_id as "identityId", i.profile_id as "profileId"
       from unnest($1::int[], $2::text[], $3::bytea[]) n (tenant_id, entity, hash)
       join identity i using (tenant_id, entity, hash)`,
    [int4s(names.map((n) => n.tenantId)), texts(names.map((n) => n.entity)), byteas(names.map((n) => n.hash))],
  );
  return rows.map((row) => ({ ...row, hash: row.hash.toString("latin1") }));
}
