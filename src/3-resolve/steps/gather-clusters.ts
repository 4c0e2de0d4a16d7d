import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import type { LinkSet } from "../../contracts/link-rule.ts";
import type { KeptApartPairs } from "../queries/read-kept-apart.ts";
import type { IdentityRow } from "../queries/lock-identities.ts";
import { linkRules } from "../rules/index.ts";
import { createJudge } from "./judge-links.ts";
import { orderLinks } from "./order-links.ts";
import { createPartition, type Part } from "./partition.ts";
import type { Recorded, RecordedLink } from "./record-links.ts";

/** Profiles that a batch's links put in touch with each other, and all that is needed to decide those links. */
export interface Cluster {
  tenantId: number;
  /** The identities that represent the profiles. */
  profiles: IdentityRow[];
  /** In the order of decisions, without void ones. */
  links: RecordedLink[];
  profileOf: ReadonlyMap<IdentityId, ProfileId>;
  set: Omit<LinkSet, "sideOf">;
  /** An identity became shared: what it had joined falls apart. */
  fallsApart: boolean;
}

/** Sorts a batch's links into clusters that have nothing to do with each other. */
export function gatherClusters({ links, rows, becameShared }: Recorded, { keptApart, manualLinks }: KeptApartPairs): Cluster[] {
  const shared = new Set([...rows.values()].filter((row) => row.shared).map(({ id }) => id));
  const profileOf = new Map([...rows.values()].map((row) => [row.id, row.profileId]));
  for (const pair of keptApart) profileOf.set(pair.a, pair.profileA).set(pair.b, pair.profileB);
  const judge = createJudge(linkRules, { links: manualLinks, keptApart, shared, sideOf: () => undefined });
  const sound = orderLinks(links).filter((link) => !judge.voids(link));

  const partition = createPartition<Part>(() => undefined);
  const partOf = (id: IdentityId): Part => partition.of(profileOf.get(id) ?? id) ?? addPart(profileOf.get(id) ?? id);
  const addPart = (profileId: ProfileId): Part => {
    const part = { members: [profileId] };
    partition.add(part);
    return part;
  };
  for (const link of sound) {
    const [left, right] = [partOf(link.a), partOf(link.b)];
    if (left !== right) partition.join(left, right);
  }
  const falling = new Set(becameShared.map((row) => partOf(row.id)));

  const clusterOf = new Map<Part | undefined, Cluster>();
  for (const part of partition.parts()) {
    const profiles = part.members.map((id) => rows.get(id)).filter((row) => row !== undefined);
    const within = keptApart.filter((pair) => partition.of(pair.profileA) === part && partition.of(pair.profileB) === part);
    const set = { links: manualLinks, keptApart: within, shared };
    clusterOf.set(part, { tenantId: profiles[0]?.tenantId ?? 0, profiles, links: [], profileOf, set, fallsApart: falling.has(part) });
  }
  for (const link of sound) clusterOf.get(partOf(link.a))?.links.push(link);
  return [...clusterOf.values()];
}
