import type { AddressInfo } from "node:net";
import Fastify, { type FastifyReply } from "fastify";
import type { EventBody } from "../bin/commands/import/map-row.ts";
import type { FieldError } from "../contracts/field-error.ts";

interface BatchBody {
  historical?: boolean;
  events: EventBody[];
}

export interface RecordingServer {
  url: string;
  /** Every event that was accepted, in the order of arrival; a repeated one is there again. */
  accepted: EventBody[];
  /** Sizes of the batches that came, refused ones included. */
  batches: number[];
  historical: Set<boolean | undefined>;
  /** Most rows that were being answered at a time. */
  rowsInFlightMax: number;
  close(): Promise<void>;
}

export interface RecordingRules {
  /** Why an event is rejected, or undefined when it is accepted. */
  reject?(event: EventBody): FieldError | undefined;
  /** Answers a request instead of the route: called with the number of the request, from 1. True when it did. */
  intercept?(request: number, reply: FastifyReply, events: EventBody[]): boolean | Promise<boolean>;
}

/** A server that keeps the contract of `POST /api/cdp/events/batch` and remembers what it was sent. */
export async function startRecordingServer(rules: RecordingRules = {}): Promise<RecordingServer> {
  const app = Fastify({ bodyLimit: 16 * 1024 * 1024, forceCloseConnections: true });
  let inFlight = 0;
  const server: RecordingServer = {
    url: "",
    accepted: [],
    batches: [],
    historical: new Set(),
    rowsInFlightMax: 0,
    close: () => app.close(),
  };
  app.get("/api/cdp/health", () => ({ status: "ok", timestamp: "2026-01-01T00:00:00.000Z" }));
  app.post("/api/cdp/events/batch", async (request, reply) => {
    const { events, historical } = request.body as BatchBody;
    server.batches.push(events.length);
    inFlight += events.length;
    server.rowsInFlightMax = Math.max(server.rowsInFlightMax, inFlight);
    try {
      if (await rules.intercept?.(server.batches.length, reply, events)) return reply;
    } finally {
      inFlight -= events.length;
    }
    server.historical.add(historical);
    const results = events.map((event, index) => {
      const problem = rules.reject?.(event);
      if (!problem) server.accepted.push(event);
      const error = problem && { code: "validation_failed", message: problem.message, details: [problem] };
      return { index, eventId: event.eventId, status: error ? "rejected" : "accepted", ...(error ? { error } : {}) };
    });
    const rejected = results.filter(({ status }) => status === "rejected").length;
    return reply.code(rejected === events.length ? 422 : 202).send({ success: rejected < events.length, data: { accepted: events.length - rejected, rejected, results } });
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  server.url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return server;
}

/** An error answer as the API writes it. */
export function answerError(reply: FastifyReply, status: number, code: string, headers: Record<string, string> = {}): boolean {
  void reply.code(status).headers(headers).send({ success: false, error: { code, message: `${code} it is` } });
  return true;
}
