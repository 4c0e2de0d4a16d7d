import { hash } from "node:crypto";
import type { EventHead } from "../contracts/canonical-event.ts";
import { eventKey } from "./event-key.ts";

/**
 * The shard of the log that takes an event: all events of one strongest identifier go to one, so that a person's events meet in one
 * window and the profile's row is written by one worker. An event that names nobody goes by its id.
 */
export function shardOf(event: EventHead, shards: readonly number[]): number {
  const [only = 0] = shards;
  if (shards.length <= 1) return only;
  const [strongest] = event.identifiers;
  const route = strongest ? `${event.tenantId}\0${strongest.entity}\0${strongest.kind}\0${strongest.value}` : eventKey(event.tenantId, event.sourceId, event.eventId);
  return shards[hash("md5", route, "buffer").readUInt32BE() % shards.length] as number;
}
