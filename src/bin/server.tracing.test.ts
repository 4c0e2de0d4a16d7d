import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, untilProcessed } from "../testing/server-client.ts";
import { createServerProcess, type ServerProcess, until } from "../testing/server-process.ts";

interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}
interface Export {
  resourceSpans: { resource: { attributes: Span["attributes"] }; scopeSpans: { spans: Span[] }[] }[];
}

const received: Export[] = [];
const spans = (): Span[] => received.flatMap(({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
const valuesOf = (attributes: Span["attributes"]) => Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));
const caller = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };

let collector: Server;
let server: ServerProcess;
beforeAll(async () => {
  collector = createServer((request, response) => {
    void json(request).then((body) => {
      received.push(body as Export);
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  server = await createServerProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: "cdp-test" });
});
afterAll(async () => {
  await server.remove();
  collector.close();
});

test("a request and the stages of its batch are exported, under the caller's trace and without what was sent", async () => {
  await server.start();
  const api = createClient(server.url);
  const event = { type: "Secret Deed", eventId: "secret-event", userId: "secret-user", email: "secret@example.com" };
  const { status } = await api.post("/api/cdp/events", event, { traceparent: `00-${caller.trace}-${caller.span}-01` });
  expect(status).toBe(202);
  await untilProcessed(server);
  expect((await api.get("/api/cdp/events/secret-event")).status).toBe(200);
  await fetch(`${server.url}/health/ready`);
  expect((await server.stop()).code).toBe(0);

  const accepted = spans().find(({ name }) => name === "POST /api/cdp/events");
  expect(accepted).toMatchObject({ traceId: caller.trace, parentSpanId: caller.span });
  expect(valuesOf(accepted?.attributes ?? [])).toEqual({ "http.request.method": "POST", "http.route": "/api/cdp/events", "http.response.status_code": 202 });
  expect(spans().map(({ name }) => name)).toContain("GET /api/cdp/events/:eventId");

  const batch = spans().find(({ name }) => name === "batch") as Span;
  expect(valuesOf(batch.attributes)).toMatchObject({ "tributary.events": 1, "tributary.profiles": 1 });
  const stages = spans().filter(({ parentSpanId }) => parentSpanId === batch.spanId);
  expect(stages.map(({ name }) => name)).toEqual(["decode", "duplicates", "resolve", "fold", "history", "wait", "state"]);
  for (const stage of stages) {
    expect(BigInt(stage.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(batch.startTimeUnixNano));
    expect(BigInt(stage.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(batch.endTimeUnixNano));
  }

  expect(valuesOf(received[0]?.resourceSpans[0]?.resource.attributes ?? [])).toMatchObject({ "service.name": "cdp-test", "service.version": expect.any(String) });
  const everything = JSON.stringify(received);
  expect(["secret", "Secret", "health"].filter((word) => everything.includes(word))).toEqual([]);
});

test("a collector that is away costs a line in the log and nothing else", async () => {
  await server.start({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_TIMEOUT: "500" });
  const api = createClient(server.url);
  expect((await api.post("/api/cdp/events", { type: "Viewed", userId: "u" })).status).toBe(202);
  await untilProcessed(server);
  await until("it says so", () => server.output().includes("traces could not be exported"));
  expect((await server.stop()).code).toBe(0);
});
