import type { IdentityId } from "../../contracts/identity.ts";
import type { Link, LinkRule } from "../../contracts/link-rule.ts";

/** What events say of a shared identifier (a kiosk, a family mailbox) joins nobody; what a person says of it does. */
export const sharedIdentifier: LinkRule = {
  reason: "shared_identifier",
  prepare: (set) => ({
    voids: (link) => !link.manual && (set.shared.has(link.a) || set.shared.has(link.b)),
  }),
};

/** The end of a link whose kind is weaker, for which the other end is a partner; undefined between equal ones. */
export function weakerEnd(link: { a: IdentityId; b: IdentityId }, priorityOf: (id: IdentityId) => number): IdentityId | undefined {
  const difference = priorityOf(link.a) - priorityOf(link.b);
  if (difference === 0) return undefined;
  return difference < 0 ? link.a : link.b;
}

/** Distinct partners of strictly stronger kinds per identity, over all links of events. */
export function countPartners(links: readonly Link[], priorityOf: (id: IdentityId) => number): Map<IdentityId, number> {
  const partners = new Map<IdentityId, Set<IdentityId>>();
  for (const link of links) {
    const weaker = link.manual ? undefined : weakerEnd(link, priorityOf);
    if (weaker === undefined) continue;
    const known = partners.get(weaker) ?? new Set();
    partners.set(weaker, known.add(weaker === link.a ? link.b : link.a));
  }
  return new Map([...partners].map(([id, others]) => [id, others.size]));
}
