import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import { bools, byteas, int4s, int8s, texts } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";

/** What changes in the row of an identity. */
export interface IdentityChange {
  tenantId: number;
  id: IdentityId;
  partners: number;
  shared: boolean;
  /** Undefined leaves it where it is. */
  profileId: ProfileId | undefined;
  /** What holds of the whole profile that it represents; undefined leaves it as it is. */
  group: { kinds: string[]; newest: string; frozen: boolean } | undefined;
}

/** Writes each row once, because every version of it costs an entry in all its indexes. */
export async function writeIdentities(q: Queries, changes: readonly IdentityChange[]): Promise<void> {
  await q.query(
    `update identity i
        set profile_id = case n.profile_id when 0 then i.profile_id else n.profile_id end, partners = n.partners, shared = n.shared,
            kinds = case n.kinds when '' then i.kinds else array(select jsonb_array_elements_text(n.kinds::jsonb)) end,
            newest = case n.kinds when '' then i.newest else nullif(n.newest, '') end,
            frozen = case n.kinds when '' then i.frozen else n.frozen end
       from unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[], $5::boolean[], $6::text[], $7::bytea[], $8::boolean[])
         n (tenant_id, identity_id, profile_id, partners, shared, kinds, newest, frozen)
      where i.tenant_id = n.tenant_id and i.identity_id = n.identity_id`,
    [
      int4s(changes.map((c) => c.tenantId)), int8s(changes.map((c) => c.id)), int8s(changes.map((c) => c.profileId ?? 0)),
      int4s(changes.map((c) => c.partners)), bools(changes.map((c) => c.shared)),
      texts(changes.map((c) => (c.group ? JSON.stringify(c.group.kinds) : ""))),
      byteas(changes.map((c) => Buffer.from(c.group?.newest ?? "", "hex"))), bools(changes.map((c) => c.group?.frozen ?? false)),
    ],
  );
}
