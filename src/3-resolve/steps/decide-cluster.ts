import type { ProfileId } from "../../contracts/identity.ts";
import { linkRules } from "../rules/index.ts";
import type { Cluster } from "./gather-clusters.ts";
import type { Group } from "./group.ts";
import { createJudge } from "./judge-links.ts";
import { placeOf } from "./order-links.ts";
import { createPartition } from "./partition.ts";
import type { RecordedLink } from "./record-links.ts";

/** Former profiles that are one now. */
interface Union {
  members: ProfileId[];
  kinds: Set<string>;
  newest: string;
  frozen: boolean;
  cause: RecordedLink | undefined;
}

export interface Decided {
  groups: Group[];
  refused: number;
}

/**
 * Decides a cluster's links one by one against the present state. Undefined when that could differ from deciding all links
 * anew, unless `asItIs`. For links of events it cannot differ
 *  - when the present sides do not conflict, however late the link is: in its place it joins parts of them, so that every
 *    part is from then on as large as before or larger, but within the two. A rule is a statement about pairs, so what was
 *    refused still is, and what was accepted meets no conflict that is not there today;
 *  - when it is newer than every link at either side: what came later touched neither.
 */
export function decideCluster(cluster: Cluster, asItIs: boolean): Decided | undefined {
  if (cluster.fallsApart && !asItIs) return undefined;
  const unions = createPartition<Union>(absorb);
  for (const row of cluster.profiles) {
    const { id, kind, kinds, newest, frozen } = row;
    unions.add({ members: [id], kinds: new Set(kinds ?? [kind]), newest, frozen, cause: undefined });
  }
  const unionOf = (id: number) => unions.of(cluster.profileOf.get(id) ?? id);
  const judge = createJudge(linkRules, { ...cluster.set, sideOf: unionOf });

  let refused = 0;
  for (const link of cluster.links) {
    const [left, right] = [unionOf(link.a), unionOf(link.b)];
    if (!left || !right) throw new Error(`link ${link.a}-${link.b} leaves its cluster`);
    const refusal = left === right ? undefined : judge.refuses(link, left, right);
    if (!asItIs && isDoubtful(link, left, right, refusal)) return undefined;
    noteLink(link, left, right);
    if (refusal) refused += 1;
    else if (left !== right) unions.join(left, right).cause ??= link;
  }
  return { refused, groups: unions.parts().map((union) => toGroup(cluster.tenantId, union, asItIs)) };
}

function isDoubtful(link: RecordedLink, left: Union, right: Union, refusal: string | undefined): boolean {
  if (link.manual) return true;
  const place = placeOf(link);
  return refusal !== undefined && (place <= left.newest || place <= right.newest);
}

function noteLink(link: RecordedLink, left: Union, right: Union): void {
  const place = link.manual ? "" : placeOf(link);
  for (const side of [left, right]) if (place > side.newest) side.newest = place;
}

function absorb(into: Union, from: Union): void {
  for (const kind of from.kinds) into.kinds.add(kind);
  if (from.newest > into.newest) into.newest = from.newest;
  into.frozen ||= from.frozen;
  into.cause ??= from.cause;
}

function toGroup(tenantId: number, union: Union, frozen: boolean): Group {
  const { members, kinds, newest, cause } = union;
  return { tenantId, former: members, representatives: members, whole: true, members: undefined, kinds, newest, frozen, cause: cause?.candidate };
}
