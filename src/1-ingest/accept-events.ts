import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { EventLog } from "../contracts/event-log.ts";
import { ApiError } from "../core/errors.ts";
import { eventKey } from "../core/event-key.ts";
import { encodeRecord } from "../core/log-record.ts";
import { shardOf } from "../core/shard-of.ts";

export type Backlog = () => { reason: string; retryAfterS: number } | undefined;

const retryAfterS = 5;

/** The log record of an event. */
const toRecord = (event: CanonicalEvent): Uint8Array => encodeRecord(event, eventKey(event.tenantId, event.sourceId, event.eventId));

/** Records by the shard that takes them. */
export type Records = ReadonlyMap<number, Uint8Array[]>;

/** Adds the record of an event to those of its shard. */
export function addRecord(records: Map<number, Uint8Array[]>, event: CanonicalEvent, shards: readonly number[]): void {
  const shard = shardOf(event, shards);
  const own = records.get(shard);
  if (own === undefined) records.set(shard, [toRecord(event)]);
  else own.push(toRecord(event));
}

/**
 * Makes records durable, in one append a shard. Throws `backlog_full` when no more can be taken now and `log_unavailable` when the
 * log does not take all of them. Of a log with one shard nothing is kept then; of several shards some may have taken theirs. The
 * sender may try again in any case: what has an id counts once.
 */
export function createAppendRecords({ log, backlog }: { log: EventLog; backlog: Backlog }) {
  return async function appendRecords(records: Records): Promise<void> {
    if (records.size === 0) return;
    const full = backlog();
    if (full) throw new ApiError("backlog_full", `no more events can be taken now: ${full.reason}`, { retryAfterS: full.retryAfterS });
    const appended = await Promise.allSettled([...records].map(([shard, own]) => log.append(shard, own)));
    const failed = appended.find((one) => one.status === "rejected");
    if (failed) throw new ApiError("log_unavailable", "the event log cannot be written", { retryAfterS, cause: failed.reason });
  };
}
