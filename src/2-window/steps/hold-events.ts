import type { Held } from "../../contracts/pipeline-event.ts";
import { keyToDecimal } from "../../core/event-key.ts";
import { wholeEvent } from "../../core/log-record.ts";
import type { History } from "../../stores/clickhouse/history.ts";

interface Deps {
  history: History;
  now(): number;
  retentionMs: number;
}

/** The last second that ClickHouse's DateTime can say. */
const never = 2 ** 32 - 1;

/** Writes events that are not applied to `events_held`. Keyed by event, so writing one again changes nothing. */
export function createHoldEvents({ history, now, retentionMs }: Deps) {
  return async function holdEvents(held: Held[]): Promise<void> {
    await history.insert(
      "events_held",
      held.map(({ item, state, reason, detail }) => ({
        tenant: item.event.tenantId,
        event_key: keyToDecimal(item.key),
        version: heldVersion(item.position),
        state,
        reason,
        detail: detail.slice(0, 1000),
        source: item.event.sourceId,
        event_id: item.event.eventId,
        name: item.event.name,
        ts: item.event.ts,
        received_at: item.event.receivedAt,
        log_partition: item.partition,
        log_pos: item.position,
        content_hash: item.contentHash,
        payload: `c${JSON.stringify(wholeEvent(item.event, item.body))}`,
        // What was lost to a fault of ours is kept until somebody replays it.
        expires_at: state === "rejected" ? never : Math.floor((now() + retentionMs) / 1000),
      })),
    );
  };
}

/** A later hold of the same event outweighs its replay, and a replay the hold it ends. */
const heldVersion = (position: number): number => position * 2;
export const replayedVersion = (version: number): number => version + 1;
