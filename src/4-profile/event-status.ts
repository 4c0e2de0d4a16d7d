import { Type, type Static } from "typebox";
import type { Source } from "../contracts/directory.ts";
import { ApiError } from "../core/errors.ts";
import { eventKey } from "../core/event-key.ts";
import { toIso } from "../core/time.ts";
import { readPositions } from "../stores/postgres/partitions.ts";
import { EventView, eventView } from "./event-view.ts";
import { publicIdsOf } from "./find-profile.ts";
import type { ProfileDeps } from "./deps.ts";
import { findEvents, findHeld, type EventRow } from "./queries/list-events.ts";

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

/** What became of an event that was accepted. */
export const EventStatus = Type.Object({
  eventId: Type.String(),
  sourceId: nullable(Type.String()),
  status: Type.Union([Type.Literal("waiting"), Type.Literal("processed"), Type.Literal("quarantined"), Type.Literal("rejected")]),
  reason: nullable(Type.String({ description: "Why it was held" })),
  detail: nullable(Type.String()),
  timestamp: nullable(Type.String()),
  receivedAt: nullable(Type.String()),
  event: nullable(EventView),
  others: Type.Integer({ description: "Events of the same id in other sources" }),
});
type Status = Static<typeof EventStatus>;
type Found = Omit<Status, "others"> & { at: number };

/** Looks an event up where it can be, in the order in which it moves: log, history, held. */
export function createEventStatus(deps: ProfileDeps) {
  const { history, directory } = deps;

  return async function statusOf(tenantId: number, eventId: string, sources: Source[]): Promise<Status> {
    const keys = new Map(sources.map((source) => [eventKey(tenantId, source.sourceId, eventId), source]));
    const all = [...keys.keys()];
    const waiting = await deps.findWaiting(all);
    const [rows, held] = await Promise.all([findEvents(history, all), findHeld(history, tenantId, all)]);
    const profileIds = await publicIdsOf(deps, tenantId, rows.map((row) => row.identity));
    const inState = await positionsInState(rows);

    const found = all.flatMap((key): Found[] => {
      const base = { eventId, sourceId: keys.get(key)?.publicId ?? null, reason: null, detail: null, timestamp: null, receivedAt: null, event: null };
      const row = rows.find((one) => one.key === key);
      if (row && inState(row)) {
        const event = eventView(row, profileIds.get(row.identity) ?? null, tenantId, directory);
        return [{ ...base, status: "processed", timestamp: event.timestamp, receivedAt: event.receivedAt, event, at: row.receivedAt }];
      }
      const hold = held.find((one) => one.key === key);
      if (hold && hold.state !== "replayed") {
        const times = { timestamp: toIso(hold.ts), receivedAt: toIso(hold.receivedAt) };
        return [{ ...base, ...times, status: hold.state, reason: hold.reason, detail: hold.detail || null, at: hold.receivedAt }];
      }
      return row || hold || waiting.has(key) ? [{ ...base, status: "waiting", at: Infinity }] : [];
    });
    const [newest, ...others] = found.sort((a, b) => b.at - a.at);
    if (!newest) throw new ApiError("event_not_found", "no event with this id was accepted");
    const { at: _, ...shown } = newest;
    return { ...shown, others: others.length };
  };

  async function positionsInState(rows: EventRow[]): Promise<(row: EventRow) => boolean> {
    if (rows.length === 0) return () => false;
    const positions = await readPositions(deps.db);
    return ({ partition, position, kind }) => kind === "system" || (positions.get(partition)?.has(position) ?? false);
  }
}
