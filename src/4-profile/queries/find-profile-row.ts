import type { IdentityId, KnownIdentifier, ProfileId } from "../../contracts/identity.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { hotColumns, stateOfRow, type HotRow, type StoredState } from "./profile-rows.ts";

/** Identifiers in an answer at most. A profile has more only when something keeps making them up. */
export const identifiersMax = 1000;

/** How a profile is named: by an identity of its own or of one that was merged into it, or by the hash of an identifier of a person. */
export type ProfileName = { identityId: IdentityId } | { hash: Buffer };

export interface FoundProfile {
  profileId: ProfileId;
  /** Absent while the profile has had no event. */
  stored: StoredState | undefined;
  /** In no order, and without priorities. */
  identifiers: KnownIdentifier[];
  totalIdentifiers: number;
}

/** [identity, entity, kind, value as base64, created (ms)]. */
type PackedIdentifier = [identityId: IdentityId, entity: "person" | "account", kind: string, sealed: string | null, createdAt: number];

type Row = { [Column in keyof HotRow]: HotRow[Column] | null } & {
  ownProfile: ProfileId;
  doc: string | null;
  sealed: Buffer | null;
  identifiers: PackedIdentifier[];
};

const packed = (row: string): string =>
  `json_build_array(${row}.identity_id, ${row}.entity, ${row}.kind, encode(${row}.sealed, 'base64'), (extract(epoch from ${row}.created_at) * 1000)::float8)`;

/** One statement for all there is to a profile: each further one would cost as much again. */
const selectBy = (name: string): string =>
  `select i.profile_id as "ownProfile", ${hotColumns("h")}, t.doc, s.sealed,
          (select json_agg(${packed("m")}) from
            (select * from identity where tenant_id = i.tenant_id and profile_id = i.profile_id limit ${identifiersMax + 1}) m) as identifiers
     from identity i
     left join profile_hot h on h.tenant_id = i.tenant_id and h.profile_id = i.profile_id
     left join profile_trait t on t.tenant_id = i.tenant_id and t.profile_id = i.profile_id
     left join profile_secret s on s.tenant_id = i.tenant_id and s.profile_id = i.profile_id
    where i.tenant_id = $1 and ${name}`;
const byIdentity = selectBy("i.identity_id = $2");
const byHash = selectBy("i.entity = 'person' and i.hash = $2");

/** The profile of that name as it is now, with the strongest of its identifiers; undefined when the tenant has none. */
export async function findProfileRow(q: Queries, tenantId: number, name: ProfileName, priorityOf: Map<string, number>): Promise<FoundProfile | undefined> {
  const [text, value] = "hash" in name ? [byHash, name.hash] : [byIdentity, name.identityId];
  const [row] = await q.query<Row>(text, [tenantId, value]);
  if (!row) return undefined;
  const few = row.identifiers.length <= identifiersMax;
  const { identifiers, total } = few ? { identifiers: row.identifiers, total: row.identifiers.length } : await readStrongest(q, tenantId, row.ownProfile, priorityOf);
  return {
    profileId: row.ownProfile,
    stored: row.profileId === null ? undefined : stateOfRow(row as HotRow, row),
    identifiers: identifiers.map((one) => toKnown(one, priorityOf)),
    totalIdentifiers: total,
  };
}

/** The first of each kind and then the strongest, and how many there are in all. */
async function readStrongest(q: Queries, tenantId: number, profileId: ProfileId, priorityOf: Map<string, number>): Promise<{ identifiers: PackedIdentifier[]; total: number }> {
  const rows = await q.query<{ identifier: PackedIdentifier; total: number }>(
    `select ${packed("m")} as identifier, total
       from (select i.*, coalesce(p.priority, 0) as priority, count(*) over () as total,
                    row_number() over (partition by i.kind order by i.created_at, i.identity_id) = 1 as first
               from identity i left join unnest($3::text[], $4::float8[]) p(kind, priority) using (kind)
              where i.tenant_id = $1 and i.profile_id = $2
              order by first desc, priority desc, created_at, identity_id limit ${identifiersMax}) m`,
    [tenantId, profileId, [...priorityOf.keys()], [...priorityOf.values()]],
  );
  return { identifiers: rows.map((row) => row.identifier), total: rows[0]?.total ?? 0 };
}

/** First byte 0: the value follows in the clear. */
function toKnown([identityId, entity, kind, base64, createdAt]: PackedIdentifier, priorityOf: Map<string, number>): KnownIdentifier {
  const sealed = base64 === null ? undefined : Buffer.from(base64, "base64");
  return { identityId, entity, kind, value: sealed?.[0] === 0 ? sealed.toString("utf8", 1) : null, priority: priorityOf.get(kind) ?? 0, createdAt };
}
