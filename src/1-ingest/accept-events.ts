import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { EventLog } from "../contracts/event-log.ts";
import { ApiError } from "../core/errors.ts";
import { eventKey } from "../core/event-key.ts";
import { encodeRecord } from "../core/log-record.ts";

export type Backlog = () => { reason: string; retryAfterS: number } | undefined;

const retryAfterS = 5;

/** The log record of an event. */
export const toRecord = (event: CanonicalEvent): Uint8Array => encodeRecord(event, eventKey(event.tenantId, event.sourceId, event.eventId));

/**
 * Makes records durable, all or none, in one append. Throws `backlog_full` when no more can be taken now and
 * `log_unavailable` when the log does not take them; nothing is kept then and the sender may try again.
 */
export function createAppendRecords({ log, backlog }: { log: EventLog; backlog: Backlog }) {
  return async function appendRecords(records: Uint8Array[]): Promise<void> {
    if (records.length === 0) return;
    const full = backlog();
    if (full) throw new ApiError("backlog_full", `no more events can be taken now: ${full.reason}`, { retryAfterS: full.retryAfterS });
    try {
      await log.append(log.shards[0] ?? 0, records);
    } catch (cause) {
      throw new ApiError("log_unavailable", "the event log cannot be written", { retryAfterS, cause });
    }
  };
}
