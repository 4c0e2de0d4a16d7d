import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { FastifyInstance } from "fastify";
import type { Principal } from "../contracts/directory.ts";
import { createHealth } from "./health.ts";
import { createApp, createMeters } from "./index.ts";

const keys: Record<string, Principal> = {
  api: { tenantId: 1, kind: "api-key", admin: false },
  admin: { tenantId: 1, kind: "api-key", admin: true },
  web: { tenantId: 1, kind: "write-key", admin: false, sourceId: 1 },
};
const now = { ms: 1_700_000_000_000 };
const broken = new Set<string>();
const check = (name: string) => async (): Promise<void> => {
  if (broken.has(name)) throw new Error(`${name} is away`);
};

const meters = createMeters();
let app: FastifyInstance;
beforeAll(async () => {
  app = await createApp({
    directory: {
      ready: () => true, authenticate: (secret) => keys[secret],
      tenant: () => undefined, source: () => undefined, builtInSource: () => undefined, sources: () => [],
    },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    bodyLimit: 1024, version: "1.0.0", meters, registerBodyParsers: () => undefined, routes: [],
    checks: { log: check("log"), state: check("state"), history: check("history"), disk: check("disk") },
    accepting: () => !broken.has("log"),
    clock: { now: () => now.ms },
  });
});
afterAll(() => app.close());
beforeEach(() => {
  broken.clear();
  now.ms += 1000;
});

const ask = (key?: string) => app.inject({ url: "/api/cdp/health", headers: { authorization: key ? `Bearer ${key}` : "" } });

test("without a key: status and time, as AURA prints it", async () => {
  const response = await ask();
  expect([response.statusCode, response.json()]).toEqual([200, { status: "ok", timestamp: new Date(now.ms).toISOString() }]);
});

test("with an API key: every check and whether events are taken", async () => {
  const ok = { ok: true, ms: expect.any(Number) };
  expect((await ask("api")).json()).toEqual({
    status: "ok", timestamp: new Date(now.ms).toISOString(), checks: { log: ok, state: ok, history: ok, disk: ok }, accepting: true,
  });
});

test("a failing check is 503, and anyone is told its name but not why", async () => {
  broken.add("state");
  const response = await ask();
  expect([response.statusCode, response.json()]).toEqual([503, { status: "error", timestamp: expect.any(String), failing: ["state"] }]);
});

test("an API key is told why, also that events are still taken", async () => {
  broken.add("state").add("disk");
  const response = await ask("api");
  expect([response.statusCode, response.json()]).toMatchObject([503, {
    failing: ["state", "disk"], accepting: true, checks: { log: { ok: true }, state: { ok: false, detail: "state is away" }, disk: { ok: false } },
  }]);
});

test.each([["web", "a write key"], ["nobody", "a wrong key"]])("%s, %s, sees what anyone sees", async (key) => {
  expect(Object.keys((await ask(key)).json())).toEqual(["status", "timestamp"]);
});

test("an answer stands for a second, so that probes are no load", async () => {
  let runs = 0;
  const clock = { now: () => now.ms };
  const health = createHealth({ checks: { log: async () => void (runs += 1) }, accepting: () => true, clock });
  await Promise.all([health(true), health(false)]);
  now.ms += 999;
  await health(true);
  expect(runs).toBe(1);
  now.ms += 1;
  await health(true);
  expect(runs).toBe(2);
});

test("a check that never answers fails after its time", async () => {
  const { promise: never } = Promise.withResolvers<void>();
  const checks = { state: () => never, log: async () => undefined };
  const health = createHealth({ checks, accepting: () => true, clock: { now: () => 0 }, timeoutMs: 5 });
  const state = { ok: false, detail: "no answer within 5 ms" };
  expect(await health(true)).toMatchObject({ status: "error", failing: ["state"], checks: { state } });
});

test("a check that throws at once fails like one that rejects", async () => {
  const health = createHealth({
    checks: { state() { throw new Error("not started"); } }, accepting: () => false, clock: { now: () => 0 },
  });
  expect(await health(true)).toMatchObject({ status: "error", accepting: false, checks: { state: { ok: false, detail: "not started" } } });
});

test("meters are Prometheus text under exactly their names", async () => {
  meters.add("cdp_events_accepted");
  meters.add("cdp_events_accepted", 4);
  meters.gauge("cdp_events_buffered", () => 12);
  meters.gauge("cdp_log_bytes", () => {
    throw new Error("closed");
  });
  const response = await app.inject({ url: "/metrics", headers: { authorization: "Bearer admin" } });
  expect(response.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(response.body).toContain("# TYPE cdp_events_accepted counter\ncdp_events_accepted 5\n");
  expect(response.body).toContain("# TYPE cdp_events_buffered gauge\ncdp_events_buffered 12\n");
  expect(response.body).toContain("cdp_log_bytes Nan\n");
  expect(response.body).toContain("cdp_events_dropped 0\n");
  expect(response.body).toContain("process_resident_memory_bytes");
  expect(response.body).not.toMatch(/^cdp_\w+_total/m);
});

test("meters are for the admin key", async () => {
  const ask = async (key: string) => (await app.inject({ url: "/metrics", headers: { authorization: `Bearer ${key}` } })).statusCode;
  expect(await Promise.all(["api", "web", "nobody"].map(ask))).toEqual([403, 403, 401]);
});

test("a counter is not read and a gauge is not added to", () => {
  expect(() => meters.add("cdp_events_buffered")).toThrow("cdp_events_buffered is a gauge");
  expect(() => meters.gauge("cdp_events_accepted", () => 1)).toThrow("cdp_events_accepted is a counter");
});
