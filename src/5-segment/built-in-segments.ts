import type { SegmentRule } from "../contracts/segment-rule.ts";

export interface DefinedSegment {
  /** Its number in the tenant, for ever: profile rows keep memberships by it. */
  number: number;
  slug: string;
  name: string;
  rule: SegmentRule;
}

/** The segments every tenant has. Number 1 is kept for `power_user`, 3 for `reengage`. */
export const builtInSegments: readonly DefinedSegment[] = [
  { number: 2, slug: "pro_plan", name: "Pro plan", rule: { kind: "condition", field: "traits.plan", operator: "equals", value: "pro" } },
];
