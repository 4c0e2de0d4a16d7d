import type { FastifyReply, FastifyRequest, RouteShorthandOptions } from "fastify";
import type { Routes } from "../contracts/http.ts";
import type { Surface } from "../contracts/surface.ts";
import { createSchemaCheck, fieldError } from "../core/check-schema.ts";
import { ApiError } from "../core/errors.ts";
import { acceptedAnswer, batchAnswer, streamAnswer, toApiError, toStreamError } from "./answers.ts";
import type { Findings } from "./findings.ts";
import { BatchEnvelope, batchRouteSchema, eventRouteSchema, streamRouteSchema } from "./route-schemas.ts";
import { readTime } from "./steps/stamp-time.ts";
import aura from "./surfaces/aura.ts";
import stratum from "./surfaces/stratum.ts";
import stream from "./surfaces/stream.ts";
import type { createTakeRows, Request } from "./take-rows.ts";

interface Deps {
  takeRows: ReturnType<typeof createTakeRows>;
  batchSizeMax: number;
}

/** The shapes that the event routes share; the first that claims a row reads it, the last reads what none claims. */
const shared: Surface[] = [stratum, aura];
const surfaceOf = (row: unknown): Surface => shared.find((surface) => surface.matches?.(row)) ?? aura;

const idCharactersMax = 255;
const checkEnvelope = createSchemaCheck(BatchEnvelope, "body");

/** The schemas document; rows are judged by the room itself, one by one, so Fastify neither checks nor coerces. */
const unchecked: RouteShorthandOptions = { validatorCompiler: () => () => true, serializerCompiler: () => JSON.stringify };

/** `POST /cdp/ingest`, `POST /api/cdp/events` and `POST /api/cdp/events/batch`. */
export function createRoutes({ takeRows, batchSizeMax }: Deps): Routes {
  async function takeOne(request: FastifyRequest, door: "stream" | "api", surface: (row: unknown) => Surface) {
    const key = door === "api" ? readIdempotencyKey(request) : undefined;
    const keyOf = key === undefined ? undefined : () => key;
    const [result] = await takeRows({
      principal: request.principal, door, rows: [takeBody(request)], surfaceOf: surface, bodyBytes: bodyBytes(request), historical: false, keyOf,
    });
    if (!result) throw new Error("one row went in and no result came out");
    return result;
  }

  async function takeStream(request: FastifyRequest, reply: FastifyReply): Promise<object> {
    const result = await takeOne(request, "stream", () => stream);
    if (result.status === "rejected") throw toStreamError(result.errors);
    reply.code(202);
    return streamAnswer(result.event);
  }

  async function takeEvent(request: FastifyRequest, reply: FastifyReply): Promise<object> {
    const result = await takeOne(request, "api", surfaceOf);
    if (result.status === "rejected") throw toApiError(result.errors);
    reply.code(202);
    return { success: true, data: acceptedAnswer(result.event) };
  }

  function readBatch(request: FastifyRequest): Request {
    const envelope = readEnvelope(takeBody(request), batchSizeMax);
    const key = readIdempotencyKey(request, envelope.rows.length);
    const keyOf = key === undefined ? undefined : (index: number) => `${key}:${index}`;
    return { ...envelope, principal: request.principal, door: "api", surfaceOf, bodyBytes: bodyBytes(request), keyOf };
  }

  async function takeBatch(request: FastifyRequest, reply: FastifyReply): Promise<object> {
    const data = batchAnswer(await takeRows(readBatch(request)));
    reply.code(data.accepted > 0 ? 202 : 422);
    return { success: data.accepted > 0, data };
  }

  return function ingestRoutes(app) {
    const send = { ...unchecked, config: { access: "send" as const } };
    app.post("/cdp/ingest", { ...unchecked, config: { access: "send", errors: "stream" }, schema: streamRouteSchema(stream) }, takeStream);
    app.post("/api/cdp/events", { ...send, schema: eventRouteSchema(shared) }, takeEvent);
    app.post("/api/cdp/events/batch", { ...send, schema: batchRouteSchema(shared, batchSizeMax) }, takeBatch);
  };
}

/** The body, which the request lets go of: it must not live until the answer. */
function takeBody(request: FastifyRequest): unknown {
  const { body } = request;
  request.body = undefined;
  return body;
}

function readEnvelope(body: unknown, batchSizeMax: number): { rows: unknown[]; historical: boolean; sentAt: number | undefined } {
  const errors = checkEnvelope(body);
  if (errors) throw toApiError(errors);
  const { events: rows, historical = false, sentAt: sent } = body as { events: unknown[]; historical?: boolean; sentAt?: string };
  if (rows.length > batchSizeMax) throw new ApiError("batch_too_large", `events holds ${rows.length} rows, of at most ${batchSizeMax}`);
  const findings: Findings = { errors: [], warnings: [] };
  const sentAt = readTime(sent === undefined ? undefined : { field: "sentAt", value: sent }, findings);
  if (findings.errors.length > 0) throw toApiError(findings.errors);
  return { rows, historical, sentAt };
}

/** The header `Idempotency-Key`, refused when an id made of it would be too long. */
function readIdempotencyKey(request: FastifyRequest, rows?: number): string | undefined {
  const key = request.headers["idempotency-key"];
  if (typeof key !== "string") return undefined;
  const suffix = rows === undefined ? 0 : `:${rows}`.length;
  if (key.length === 0) throw toApiError([fieldError("Idempotency-Key", "empty", "must not be empty")]);
  if (key.length + suffix > idCharactersMax) {
    throw toApiError([fieldError("Idempotency-Key", "too_long", `must have at most ${idCharactersMax - suffix} characters`)]);
  }
  return key;
}

function bodyBytes(request: FastifyRequest): number {
  const length = Number(request.headers["content-length"]);
  return Number.isSafeInteger(length) ? length : Infinity;
}
