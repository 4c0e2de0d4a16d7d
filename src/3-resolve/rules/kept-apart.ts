import type { KeptApart, Link, LinkRule } from "../../contracts/link-rule.ts";

/** A kept-apart pair never meets, however long the way; a later manual link on the same two ends lifts it. */
export const keptApart: LinkRule = {
  reason: "kept_apart",
  prepare(set) {
    const inForce = set.keptApart.filter((pair) => !liftedBy(pair, set.links));
    return {
      refuses: (_link, left, right) =>
        inForce.some((pair) => {
          const [a, b] = [set.sideOf(pair.a), set.sideOf(pair.b)];
          return (a === left && b === right) || (a === right && b === left);
        }),
    };
  },
};

/** Of two decisions at the same moment the cautious one stands. */
function liftedBy(pair: KeptApart, links: readonly Link[]): boolean {
  return links.some((link) => link.manual && sameEnds(link, pair) && link.ts > pair.decidedMs);
}

const sameEnds = (link: Link, pair: KeptApart): boolean =>
  (link.a === pair.a && link.b === pair.b) || (link.a === pair.b && link.b === pair.a);
