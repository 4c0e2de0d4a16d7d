import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import { byteas, int4s, texts } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { numbersOf, type AggregatedNumbers } from "../../stores/postgres/read-columns.ts";

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
  const [found] = await q.query<{ places: AggregatedNumbers; ids: AggregatedNumbers; profiles: AggregatedNumbers }>(
    `select array_agg(n.place)::text as places, array_agg(i.identity_id)::text as ids, array_agg(i.profile_id)::text as profiles
       from unnest($1::int[], $2::text[], $3::bytea[]) with ordinality n (tenant_id, entity, hash, place)
       join identity i using (tenant_id, entity, hash)`,
    [int4s(names.map((n) => n.tenantId)), texts(names.map((n) => n.entity)), byteas(names.map((n) => n.hash))],
  );
  const [ids, profiles] = [numbersOf(found?.ids ?? null), numbersOf(found?.profiles ?? null)];
  return numbersOf(found?.places ?? null).map((place, at) => {
    const { tenantId, entity, hash } = names[place - 1] as IdentityName;
    return { tenantId, entity, hash, identityId: ids[at] as IdentityId, profileId: profiles[at] as ProfileId };
  });
}
