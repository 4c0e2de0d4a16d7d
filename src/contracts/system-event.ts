import type { IdentityId } from "./identity.ts";
import type { JsonObject } from "./json.ts";

/** Something Tributary did to a profile, for its timeline. Counts in nothing. */
export interface SystemEvent {
  tenantId: number;
  /** Number of the outbox message: its position in history. */
  seq: number;
  identity: IdentityId;
  name: string;
  /** Made of what happened, so that a second delivery is recognised. */
  eventId: string;
  ts: number;
  properties: JsonObject;
}
