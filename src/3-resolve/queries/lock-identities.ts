import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import { int4s, int8s } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import type { TenantIdentity } from "./read-profiles-of.ts";

/** A row of `identity`. The last three hold only for the identity that represents its profile. */
export interface IdentityRow {
  tenantId: number;
  id: IdentityId;
  entity: string;
  kind: string;
  profileId: ProfileId;
  partners: number;
  shared: boolean;
  frozen: boolean;
  kinds: string[] | null;
  /** Hex, as `placeOf` writes it; empty without one. */
  newest: string;
}

const rowColumns = `i.tenant_id as "tenantId", i.identity_id as id, i.entity, i.kind, i.profile_id as "profileId", i.partners, i.shared, i.frozen,
  i.kinds, coalesce(encode(i.newest, 'hex'), '') as newest`;

/** Locks identities in the order of their ids and reads them as they are then. Ones that do not exist are left out. */
export async function lockIdentityRows(q: Queries, identities: readonly TenantIdentity[]): Promise<IdentityRow[]> {
  return await q.query<IdentityRow>(
    `select ${rowColumns}
       from identity i
       join (select distinct tenant_id, identity_id from unnest($1::int[], $2::bigint[]) u (tenant_id, identity_id)) n using (tenant_id, identity_id)
      order by i.tenant_id, i.identity_id
        for no key update of i`,
    [int4s(identities.map((i) => i.tenantId)), int8s(identities.map((i) => i.identityId))],
  );
}

/** The same without lock. */
export async function readIdentityRows(q: Queries, identities: readonly TenantIdentity[]): Promise<IdentityRow[]> {
  return await q.query<IdentityRow>(
    `select ${rowColumns} from unnest($1::int[], $2::bigint[]) n (tenant_id, identity_id) join identity i using (tenant_id, identity_id)`,
    [int4s(identities.map((i) => i.tenantId)), int8s(identities.map((i) => i.identityId))],
  );
}
