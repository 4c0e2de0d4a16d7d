import type { ProfileId } from "../../contracts/identity.ts";
import type { Queries } from "../../stores/postgres/db.ts";

export interface GroupRow {
  tenantId: number;
  profileId: ProfileId;
  kinds: string[];
  newest: string;
  frozen: boolean;
}

/** What holds of whole profiles, into the rows of the identities that represent them. */
export async function writeGroups(q: Queries, groups: readonly GroupRow[]): Promise<void> {
  const rows = groups.map(({ newest, ...group }) => ({ ...group, newest: newest === "" ? null : `\\x${newest}` }));
  await q.query(
    `update identity i set kinds = n.kinds, newest = n.newest, frozen = n.frozen
       from jsonb_to_recordset($1::jsonb) n ("tenantId" int, "profileId" bigint, kinds text[], newest bytea, frozen boolean)
      where i.tenant_id = n."tenantId" and i.identity_id = n."profileId"`,
    [JSON.stringify(rows)],
  );
}
