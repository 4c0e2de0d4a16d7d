import Type, { type TSchema } from "typebox";
import type { Surface } from "../contracts/surface.ts";

const Warnings = Type.Optional(Type.Array(Type.String(), { description: "Codes of what was accepted but is suspicious, such as future_timestamp." }));
const Late = Type.Optional(Type.Literal(true, { description: "Older than window and grace period when it arrived." }));
const Held = Type.Optional(Type.Literal("quarantined", { description: "Held back by the source's late policy; listed and replayable." }));
const FieldProblem = Type.Object({ field: Type.String(), reason: Type.String(), message: Type.String() });
const Problem = Type.Object({ code: Type.String(), message: Type.String(), details: Type.Optional(Type.Array(FieldProblem)) });
const Accepted = { eventId: Type.String(), status: Type.Literal("accepted"), late: Late, disposition: Held, warnings: Warnings };
const Rejected = { eventId: Type.Union([Type.String(), Type.Null()]), status: Type.Literal("rejected"), error: Problem };
const Index = { index: Type.Integer({ description: "Place of the row in events, from 0." }) };

/** The errors that every route can answer are documented by src/http; here is only what differs. */
const Failure = Type.Object({ success: Type.Literal(false), error: Problem });
const Batch = Type.Object({
  success: Type.Boolean(),
  data: Type.Object({
    accepted: Type.Integer(),
    rejected: Type.Integer(),
    results: Type.Array(Type.Union([Type.Object({ ...Index, ...Accepted }), Type.Object({ ...Index, ...Rejected })])),
  }),
});

const rowsOf = (surfaces: Surface[]): unknown[] => surfaces.flatMap((surface) => surface.examples.map(({ row }) => row));
const shapeOf = (surfaces: Surface[]): TSchema => Type.Union(surfaces.map(({ schema }) => schema), { examples: rowsOf(surfaces) });

const headers = Type.Object({ "idempotency-key": Type.Optional(Type.String({ maxLength: 255, description: "Id of an event without one; in a batch, <key>:<index>." })) });

/** The envelope of a batch; its rows are judged one by one. */
export const BatchEnvelope = Type.Object({
  events: Type.Array(Type.Unknown(), { minItems: 1 }),
  historical: Type.Optional(Type.Boolean({ description: "An import: taken without the window, never late. API keys only." })),
  sentAt: Type.Optional(Type.String({ description: "When the sender sent the batch by its own clock, ISO-8601: corrects a wrong clock." })),
});

/** Documents `POST /cdp/ingest`. */
export function streamRouteSchema(surface: Surface) {
  return {
    tags: ["Events"],
    summary: "Take one event: IDENTIFY, TRACK or ALIAS",
    description: "Answered once the event is durable. Events beyond the grace period are held back unless the source says otherwise.",
    body: { ...surface.schema, examples: rowsOf([surface]) },
    response: { 202: Type.Object({ status: Type.Literal("accepted"), eventId: Type.String(), late: Late, disposition: Held, warnings: Warnings }) },
  };
}

/** Documents `POST /api/cdp/events`. */
export function eventRouteSchema(surfaces: Surface[]) {
  return {
    tags: ["Events"],
    summary: "Take one event",
    description: `Answered once the event is durable. Shapes: ${surfaces.map(({ summary }) => summary).join(" — or ")}`,
    headers,
    body: shapeOf(surfaces),
    response: { 202: Type.Object({ success: Type.Literal(true), data: Type.Object(Accepted) }), 404: Failure },
  };
}

/** Documents `POST /api/cdp/events/batch`. */
export function batchRouteSchema(surfaces: Surface[], batchSizeMax: number) {
  return {
    tags: ["Events"],
    summary: "Take many events",
    description: `At most ${batchSizeMax} rows, each accepted or rejected by itself: 202 when at least one was accepted, 422 when none. Answered once they are durable.`,
    headers,
    body: Type.Object(
      { ...BatchEnvelope.properties, events: Type.Array(shapeOf(surfaces), { minItems: 1, maxItems: batchSizeMax }) },
      { examples: [{ events: rowsOf(surfaces) }] },
    ),
    response: { 202: Batch, 422: Type.Union([Batch, Failure]) },
  };
}
