import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import type { KeptApart, Link } from "../../contracts/link-rule.ts";
import type { IdentityRow } from "../queries/lock-identities.ts";
import type { Decided } from "./decide-cluster.ts";
import type { Group } from "./group.ts";
import { placeOf } from "./order-links.ts";
import type { RecordedLink } from "./record-links.ts";
import { joinLinks } from "./resolve-components.ts";

/** Everything that hangs together: whole profiles, all links among them but void ones, all kept-apart pairs within. */
export interface Region {
  rows: readonly IdentityRow[];
  links: readonly Link[];
  keptApart: readonly KeptApart[];
}

/** Decides all links of regions anew, whatever the present grouping is. `recorded` are all links that are new on record. */
export function decideRegion(region: Region, recorded: readonly RecordedLink[]): Decided {
  const shared = new Set(region.rows.filter((row) => row.shared).map(({ id }) => id));
  const result = joinLinks({ identities: region.rows, links: region.links, keptApart: region.keptApart, shared });
  const rowOf = new Map(region.rows.map((row) => [row.id, row]));
  const formerSizes = new Map<ProfileId, number>();
  for (const { profileId } of region.rows) formerSizes.set(profileId, (formerSizes.get(profileId) ?? 0) + 1);

  const groupOf = new Map<IdentityId, Group>();
  const groups = result.components.map((members) => {
    const group = toGroup(members.map((id) => rowOf.get(id)).filter((row) => row !== undefined), formerSizes);
    for (const id of members) groupOf.set(id, group);
    return group;
  });
  noteNewest(region.links, groupOf);
  noteCauses(recorded, groupOf, (id) => rowOf.get(id)?.profileId);
  const isRecorded = new Set(recorded.map(({ a, b, manual }) => `${a}:${b}:${manual}`));
  return { groups, refused: result.refused.filter((one) => !one.void && isRecorded.has(`${one.link.a}:${one.link.b}:${one.link.manual}`)).length };
}

function toGroup(rows: IdentityRow[], formerSizes: ReadonlyMap<ProfileId, number>): Group {
  const members = new Set(rows.map(({ id }) => id));
  const former = [...new Set(rows.map(({ profileId }) => profileId))];
  return {
    tenantId: rows[0]?.tenantId ?? 0, former, members: [...members],
    representatives: former.filter((id) => members.has(id)),
    whole: former.reduce((sum, id) => sum + (formerSizes.get(id) ?? 0), 0) === members.size,
    kinds: new Set(rows.map(({ kind }) => kind)),
    newest: "", frozen: false, cause: undefined,
  };
}

function noteNewest(links: readonly Link[], groupOf: ReadonlyMap<IdentityId, Group>): void {
  for (const link of links) {
    if (link.manual) continue;
    const place = placeOf(link);
    for (const end of [link.a, link.b]) {
      const group = groupOf.get(end);
      if (group && place > group.newest) group.newest = place;
    }
  }
}

/** The first link that put two former profiles together; where it was none alone, the first at a member. */
function noteCauses(
  recorded: readonly RecordedLink[], groupOf: ReadonlyMap<IdentityId, Group>, formerOf: (id: IdentityId) => ProfileId | undefined,
): void {
  const joining = recorded.filter(({ a, b }) => groupOf.get(a) === groupOf.get(b) && formerOf(a) !== formerOf(b));
  for (const { a, b, candidate } of [...joining, ...recorded]) {
    for (const end of [a, b]) {
      const group = groupOf.get(end);
      if (group) group.cause ??= candidate;
    }
  }
}
