import type { CanonicalEvent } from "../../contracts/canonical-event.ts";
import { keyFromDecimal } from "../../core/event-key.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import { listHeld, type HeldFilter, type HeldRow } from "../queries/list-held.ts";
import { replayedVersion } from "./hold-events.ts";

interface Deps {
  history: History;
  /** Appends events to the log; resolves when they are durable. */
  accept(events: CanonicalEvent[]): Promise<void>;
}

const pageRows = 500;

/**
 * Sends held events down the path again, under policy `apply`, with their own time and id. Accepted first and marked
 * after: a crash between the two replays them twice, and the second time they are duplicates.
 */
export function createReplayHeld({ history, accept }: Deps) {
  return async function replayHeld(filter: Omit<HeldFilter, "limit" | "after">, max: number): Promise<{ replayed: number; more: boolean }> {
    let replayed = 0;
    // Page by page from the newest on, so that an event which is rejected again meanwhile is not met twice.
    let after: HeldFilter["after"];
    for (;;) {
      const page = { ...filter, ...(after && { after }) };
      const limit = Math.min(pageRows, max - replayed);
      if (limit === 0) return { replayed, more: (await listHeld(history, { ...page, limit: 1 })).length > 0 };
      const rows = await listHeld(history, { ...page, limit });
      const last = rows.at(-1);
      if (!last) return { replayed, more: false };
      after = { receivedAt: last.receivedAt, key: last.key };
      await accept(rows.map(released));
      await history.insert("events_held", rows.map((row) => replayedRow(filter.tenantId, row)));
      replayed += rows.length;
    }
  };
}

function released(row: HeldRow): CanonicalEvent {
  const { held: _, ...event } = JSON.parse(row.payload.slice(1)) as CanonicalEvent;
  return { ...event, replay: true };
}

const replayedRow = (tenant: number, row: HeldRow): object => ({
  tenant,
  event_key: BigInt(`0x${keyFromDecimal(row.key)}`).toString(),
  version: replayedVersion(row.version),
  state: "replayed",
  reason: row.reason,
  detail: row.detail,
  source: row.source,
  event_id: row.eventId,
  name: row.name,
  ts: row.ts,
  received_at: row.receivedAt,
  payload: "c",
  expires_at: Math.floor(row.expiresAt / 1000),
});
