import type { EventBody, EventHead } from "./canonical-event.ts";
import type { IdentityId } from "./identity.ts";

/** An event on its way through the rooms: what the log holds, where, and what the steps found out. */
export interface PipelineEvent {
  /** Number of the log partition in the state database, and the position in it. */
  partition: number;
  position: number;
  /** Event key, 32 lower-case hex digits. */
  key: string;
  /** 52 bits of the content: tells a re-sent event from another one under the same id. */
  contentHash: number;
  event: EventHead;
  body: EventBody;
  /** Strongest first; set by 3-resolve. Empty when the event has no usable identifier. */
  identities: IdentityId[];
}

/** A copy of an event that has been before: where the log had it, and whether it was held instead of applied. */
export interface SeenEvent {
  partition: number;
  position: number;
  contentHash: number;
  held: boolean;
}

/** Why an accepted event is not applied. */
export interface Held {
  item: PipelineEvent;
  state: "quarantined" | "rejected";
  reason: string;
  detail: string;
}

/** Whether a position of a log partition is in state: folding from history leaves out rows that are not. */
export type InState = (partition: number, position: number) => boolean;
