import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
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
const refusing = new Set<string>();
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
    readyNeeds: ["log"],
    refusing: () => [...refusing],
    clock: { now: () => now.ms },
  });
});
afterAll(() => app.close());
beforeEach(() => {
  broken.clear();
  refusing.clear();
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

test("/health answers the same", async () => {
  broken.add("state");
  const [short, long] = await Promise.all(["/health", "/api/cdp/health"].map((url) => app.inject({ url, headers: { authorization: "Bearer api" } })));
  expect(short?.statusCode).toBe(503);
  expect(short?.json()).toEqual(long?.json());
});

describe("/health/ready", () => {
  const ready = async (key?: string) => {
    const response = await app.inject({ url: "/health/ready", headers: { authorization: key ? `Bearer ${key}` : "" } });
    return [response.statusCode, response.json()];
  };
  const [timestamp, all] = [expect.any(String), ["log", "state", "history", "disk"]];

  test.each([
    ["nothing is wrong", [], [], 200, undefined],
    ["a database is away: events are taken all the same", ["state", "history"], [], 200, undefined],
    ["the log cannot be written", ["log"], [], 503, ["log"]],
    ["keys are not known yet", [], ["keys"], 503, ["keys"]],
    ["the backlog is full", [], ["backlog"], 503, ["backlog"]],
    ["the server is stopping while everything fails", all, ["stopping"], 503, ["log", "stopping"]],
  ])("when %s", async (_, failing, reasons, status, named) => {
    for (const name of failing) broken.add(name);
    for (const name of reasons) refusing.add(name);
    expect(await ready()).toEqual([status, { status: status === 200 ? "ok" : "error", timestamp, ...(named && { failing: named }) }]);
  });

  test("tells the holder of a key no more than anyone", async () => {
    broken.add("log");
    expect(await ready("admin")).toEqual([503, { status: "error", timestamp, failing: ["log"] }]);
  });

  test("knows of a stop at once, however long its checks stand", async () => {
    expect((await ready())[0]).toBe(200);
    refusing.add("stopping");
    expect((await ready())[0]).toBe(503);
  });

  test("waits for no check that it does not need", async () => {
    const { promise: never } = Promise.withResolvers<void>();
    const health = createHealth({
      checks: { state: () => never, log: async () => undefined }, readyNeeds: ["log"], refusing: () => [], clock: { now: () => 0 }, timeoutMs: 60_000,
    });
    expect(await health.ready()).toEqual({ status: "ok", timestamp: "1970-01-01T00:00:00.000Z" });
  });
});

test("/health/live is answered whatever else fails", async () => {
  broken.add("log").add("state").add("disk");
  refusing.add("stopping");
  const response = await app.inject("/health/live");
  expect([response.statusCode, response.json()]).toEqual([200, { status: "ok", timestamp: expect.any(String) }]);
});

test("an answer stands for a second, so that probes are no load", async () => {
  let runs = 0;
  const clock = { now: () => now.ms };
  const health = createHealth({ checks: { log: async () => void (runs += 1) }, readyNeeds: [], refusing: () => [], clock });
  await Promise.all([health.full(true), health.full(false)]);
  now.ms += 999;
  await health.full(true);
  expect(runs).toBe(1);
  now.ms += 1;
  await health.full(true);
  expect(runs).toBe(2);
});

test("a check that never answers fails after its time", async () => {
  const { promise: never } = Promise.withResolvers<void>();
  const checks = { state: () => never, log: async () => undefined };
  const health = createHealth({ checks, readyNeeds: [], refusing: () => [], clock: { now: () => 0 }, timeoutMs: 5 });
  const state = { ok: false, detail: "no answer within 5 ms" };
  expect(await health.full(true)).toMatchObject({ status: "error", failing: ["state"], checks: { state } });
});

test("a check that throws at once fails like one that rejects", async () => {
  const health = createHealth({
    checks: { state() { throw new Error("not started"); } }, readyNeeds: [], refusing: () => ["backlog"], clock: { now: () => 0 },
  });
  expect(await health.full(true)).toMatchObject({ status: "error", accepting: false, checks: { state: { ok: false, detail: "not started" } } });
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
