import type { EventKind, Money } from "./canonical-event.ts";
import type { IdentityId } from "./identity.ts";
import type { JsonObject } from "./json.ts";

/**
 * What folding reads of an event: made from the canonical event when it is live and from its history row when a
 * profile is folded anew, by the same function of the same fields. That the two agree is invariant 6.
 */
export interface FoldEvent {
  tenantId: number;
  /** The event's strongest identifier. The event belongs to the profile this identity is in. */
  anchor: IdentityId;
  kind: EventKind;
  ts: number;
  receivedAt: number;
  /** Event key, 32 lower-case hex digits: breaks ties of `ts`. */
  key: string;
  sessionId?: string | undefined;
  /** Traits of the event, with `email` and `phone` of its identifiers set as traits too. */
  traits?: JsonObject | undefined;
  money?: Money | undefined;
}
