import type { IdentityId } from "../../contracts/identity.ts";
import type { KeptApart, Link } from "../../contracts/link-rule.ts";
import { linkRules } from "../rules/index.ts";
import { countPartners } from "../rules/shared-identifier.ts";
import { createJudge } from "./judge-links.ts";
import { orderLinks } from "./order-links.ts";
import { createPartition } from "./partition.ts";

export interface LinkableIdentity {
  id: IdentityId;
  kind: string;
}

export interface Components<L extends Link> {
  components: IdentityId[][];
  /** Links that join nothing, with the code of the rule; `void` ones would not in any order. */
  refused: { link: L; reason: string; void: boolean }[];
}

interface Component {
  members: IdentityId[];
  kinds: Set<string>;
}

/**
 * The rule of resolution, as a function of the whole set: which identities are one profile. Every link names identities
 * of the set, and of equal pairs only the smallest (ts, key) is handed in (a manual link is another one beside it).
 */
export function resolveComponents<L extends Link>(input: {
  identities: readonly (LinkableIdentity & { priority: number })[];
  links: readonly L[];
  keptApart: readonly KeptApart[];
  partnersMax: (kind: string) => number;
}): Components<L> & { shared: IdentityId[] } {
  const byId = new Map(input.identities.map((identity) => [identity.id, identity]));
  const partners = countPartners(input.links, (id) => byId.get(id)?.priority ?? 0);
  const shared = input.identities.filter(({ id, kind }) => (partners.get(id) ?? 0) > input.partnersMax(kind)).map(({ id }) => id);
  return { ...joinLinks({ ...input, shared: new Set(shared) }), shared };
}

/** The same where it is known which identities are shared: for a region that is cut out of a larger set. */
export function joinLinks<L extends Link>(input: {
  identities: readonly LinkableIdentity[];
  links: readonly L[];
  keptApart: readonly KeptApart[];
  shared: ReadonlySet<IdentityId>;
}): Components<L> {
  const partition = createPartition<Component>((into, from) => from.kinds.forEach((kind) => into.kinds.add(kind)));
  for (const { id, kind } of input.identities) partition.add({ members: [id], kinds: new Set([kind]) });
  const judge = createJudge(linkRules, { ...input, sideOf: partition.of });

  const refused: Components<L>["refused"] = [];
  for (const link of orderLinks(input.links)) {
    const voided = judge.voids(link);
    if (voided) {
      refused.push({ link, reason: voided, void: true });
      continue;
    }
    const [left, right] = [partition.of(link.a), partition.of(link.b)];
    if (!left || !right) throw new Error(`link ${link.a}-${link.b} leaves the set`);
    if (left === right) continue;
    const reason = judge.refuses(link, left, right);
    if (reason) refused.push({ link, reason, void: false });
    else partition.join(left, right);
  }
  return { components: partition.parts().map((part) => part.members.sort((x, y) => x - y)), refused };
}
