import type { LinkRule } from "../../contracts/link-rule.ts";
import { externalIdsStayApart } from "./external-ids-stay-apart.ts";
import { keptApart } from "./kept-apart.ts";
import { sharedIdentifier } from "./shared-identifier.ts";

/** Every match rule, in the order in which they are asked; the first that objects names the reason. */
export const linkRules: readonly LinkRule[] = [sharedIdentifier, keptApart, externalIdsStayApart];
