import type { LinkRule } from "../../contracts/link-rule.ts";

export const externalIdKind = "external_id";

/** Two people the tenant itself tells apart are not joined because they share a device or a mailbox; only a person may. */
export const externalIdsStayApart: LinkRule = {
  reason: "two_external_ids",
  prepare: () => ({
    refuses: (link, left, right) => !link.manual && left.kinds.has(externalIdKind) && right.kinds.has(externalIdKind),
  }),
};
