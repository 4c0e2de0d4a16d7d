import type { IdentityId, LinkCandidate, ProfileId } from "../../contracts/identity.ts";

/** A profile as it is after a decision, before it has its number. */
export interface Group {
  tenantId: number;
  /** The former profiles that its members come from. */
  former: ProfileId[];
  /** Those of them whose representing identity is a member. */
  representatives: ProfileId[];
  /** Its members are all those of its former profiles. */
  whole: boolean;
  /** In order; undefined where a whole group was made without reading them. */
  members: IdentityId[] | undefined;
  kinds: ReadonlySet<string>;
  newest: string;
  frozen: boolean;
  /** A link that put former profiles together. */
  cause: LinkCandidate | undefined;
}
