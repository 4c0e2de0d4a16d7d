import type { IdentityId, LinkCandidate } from "../../contracts/identity.ts";
import type { Link } from "../../contracts/link-rule.ts";

/** A link as it is on record: `a` is the smaller id. */
export interface TenantLink extends Link {
  tenantId: number;
}

/** A candidate as a record, with the candidate it came from. */
export interface CandidateLink extends TenantLink {
  candidate: LinkCandidate;
}

export function toLink(candidate: LinkCandidate): CandidateLink {
  const { tenantId, ts, key, ord, manual = false } = candidate;
  const [a, b] = candidate.a < candidate.b ? [candidate.a, candidate.b] : [candidate.b, candidate.a];
  return { tenantId, a, b, manual, ts, key, ord, candidate };
}

/** Names a pair: at most one link of a name is on record. */
export const pairOf = (link: { tenantId: number; a: IdentityId; b: IdentityId; manual: boolean }): string =>
  `${link.tenantId}:${link.a}:${link.b}${link.manual ? ":m" : ""}`;
