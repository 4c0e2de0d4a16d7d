import { Type } from "typebox";
import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { Directory } from "../contracts/directory.ts";
import type { Routes } from "../contracts/http.ts";
import { cursorKey, cursorNumber, decodeCursor, encodeCursor } from "../core/cursor.ts";
import { ApiError } from "../core/errors.ts";
import { keyFromDecimal } from "../core/event-key.ts";
import { parseTimeBound, toIso } from "../core/time.ts";
import type { History } from "../stores/clickhouse/history.ts";
import { listHeld, type HeldFilter, type HeldRow } from "./queries/list-held.ts";

interface Deps {
  history: History;
  directory: Directory;
  replayHeld(filter: Omit<HeldFilter, "limit" | "after">, max: number): Promise<{ replayed: number; more: boolean }>;
}

const ListQuery = Type.Object({
  state: Type.Optional(Type.Union([Type.Literal("quarantined"), Type.Literal("rejected")], { description: "quarantined: late; rejected: no step could process it" })),
  sourceId: Type.Optional(Type.String({ description: "Public id of a source" })),
  from: Type.Optional(Type.String({ description: "Event time from, ISO-8601; a date alone is a whole day in the tenant's time zone" })),
  to: Type.Optional(Type.String({ description: "Event time to, both included when dates" })),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
  cursor: Type.Optional(Type.String()),
});

const ReplayBody = Type.Object(
  {
    eventIds: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 1000 })),
    sourceId: Type.Optional(Type.String()),
    from: Type.Optional(Type.String()),
    to: Type.Optional(Type.String()),
  },
  { additionalProperties: false, description: "eventIds, or a source and a range of event time; at least one of them" },
);

type Filters = { sourceId?: string; from?: string; to?: string };

/** `GET /api/cdp/quarantine` and `POST /api/cdp/quarantine/replay`. */
export function createRoutes({ history, directory, replayHeld }: Deps): Routes {
  const filterOf = (tenantId: number, { sourceId, from, to }: Filters): Omit<HeldFilter, "limit"> => {
    const zone = directory.tenant(tenantId)?.settings.timeZone ?? "UTC";
    const source = sourceId === undefined ? undefined : directory.sources(tenantId).find((s) => s.publicId === sourceId);
    if (sourceId !== undefined && !source) throw new ApiError("not_found", `there is no source ${sourceId}`);
    return {
      tenantId,
      ...(source && { sourceId: source.sourceId }),
      ...(from !== undefined && { from: parseTimeBound("from", from, zone).start }),
      ...(to !== undefined && { to: parseTimeBound("to", to, zone).end }),
    };
  };
  const shown = (tenantId: number, row: HeldRow): object => ({
    eventId: row.eventId,
    sourceId: directory.source(tenantId, row.source)?.publicId ?? null,
    status: row.state,
    reason: row.reason,
    detail: row.detail || null,
    name: row.name,
    timestamp: toIso(row.ts),
    receivedAt: toIso(row.receivedAt),
    expiresAt: toIso(row.expiresAt),
    event: asSent(row.payload),
  });

  return (app) => {
    app.get<{ Querystring: Filters & { state?: string; limit: number; cursor?: string } }>(
      "/api/cdp/quarantine",
      { config: { access: "read" }, schema: { tags: ["Events"], summary: "Events that were accepted but not applied", querystring: ListQuery } },
      async (request) => {
        const { tenantId } = request.principal as { tenantId: number };
        const { state, limit, cursor } = request.query;
        const place = cursor === undefined ? undefined : decodeCursor(cursor, 2);
        const rows = await listHeld(history, {
          ...filterOf(tenantId, request.query),
          ...(state !== undefined && { state }),
          ...(place && { after: { receivedAt: cursorNumber(place[0]), key: BigInt(`0x${cursorKey(place[1])}`).toString() } }),
          limit: limit + 1,
        });
        const last = rows.length > limit ? rows[limit - 1] : undefined;
        return {
          success: true,
          data: rows.slice(0, limit).map((row) => shown(tenantId, row)),
          meta: { nextCursor: last ? encodeCursor([last.receivedAt, keyFromDecimal(last.key)]) : null },
        };
      },
    );
    app.post<{ Body: Filters & { eventIds?: string[] } }>(
      "/api/cdp/quarantine/replay",
      { config: { access: "read" }, schema: { tags: ["Events"], summary: "Apply held events with their own time and id", body: ReplayBody } },
      async (request, reply) => {
        const { tenantId } = request.principal as { tenantId: number };
        const { eventIds, ...range } = request.body;
        if (eventIds === undefined && Object.keys(range).length === 0) {
          throw new ApiError("validation_failed", "name the events to replay", {
            details: [{ field: "eventIds", reason: "required", message: "expected eventIds, or sourceId, from or to" }],
          });
        }
        const data = await replayHeld({ ...filterOf(tenantId, range), ...(eventIds && { eventIds }) }, 10_000);
        return reply.status(202).send({ success: true, data });
      },
    );
  };
}

/** What the caller sent of a held event, without our own bookkeeping. */
function asSent(payload: string): object {
  const { kind, identifiers, traits, properties, context, sessionId } = JSON.parse(payload.slice(1)) as CanonicalEvent;
  return { kind, identifiers: identifiers.map((one) => ({ type: one.kind, value: one.value })), traits, properties, context, sessionId };
}
