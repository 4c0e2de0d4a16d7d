import type { Link, LinkRule, LinkSet, Side } from "../../contracts/link-rule.ts";

/** All rules as one: each answer is the reason of the first rule that objects, or undefined. */
export interface Judge {
  voids(link: Link): string | undefined;
  refuses(link: Link, left: Side, right: Side): string | undefined;
}

export function createJudge(rules: readonly LinkRule[], set: LinkSet): Judge {
  const checks = rules.map((rule) => ({ reason: rule.reason, check: rule.prepare(set) }));
  return {
    voids: (link) => checks.find(({ check }) => check.voids?.(link))?.reason,
    refuses: (link, left, right) => checks.find(({ check }) => check.refuses?.(link, left, right))?.reason,
  };
}
