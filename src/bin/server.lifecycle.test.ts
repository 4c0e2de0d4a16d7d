import { once } from "node:events";
import { rename, symlink } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectHistory } from "../stores/clickhouse/connect.ts";
import { connectPostgres } from "../stores/postgres/pool.ts";
import { type Client, createClient, type EventRow, readMeter, untilProcessed } from "../testing/server-client.ts";
import { createServerProcess, databaseOf, type ServerProcess, until } from "../testing/server-process.ts";

let server: ServerProcess;
let api: Client;
let sentSoFar = 0;

const eventsRoute = "/api/cdp/events";
const rows = (count: number) => Array.from({ length: count }, () => ({ type: "Viewed", eventId: `e-${++sentSoFar}`, userId: `u${sentSoFar % 7}` }));
const idsInHistory = async (): Promise<string[]> => (await api.list<EventRow>(eventsRoute)).map((row) => row.eventId);
async function totalOfProfiles(): Promise<number> {
  const profiles = await Promise.all(Array.from({ length: 7 }, (_, i) => api.lookup("external_id", `u${i}`)));
  return profiles.reduce((sum, profile) => sum + (profile?.totalEvents ?? 0), 0);
}

interface Traffic {
  /** Ids of the events that were answered 2xx, so far. */
  answered: string[];
  /** Resolves once no sender is left. */
  ended: Promise<unknown>;
  stop(): void;
}

/** Four senders that go on until they are stopped or refused. A request that got no answer may have been taken or not. */
function startTraffic(): Traffic {
  const answered: string[] = [];
  let stopped = false;
  const sendOn = async (): Promise<void> => {
    while (!stopped) {
      const events = rows(20);
      const { status } = await api.post(`${eventsRoute}/batch`, { events });
      expect(status).toBe(202);
      answered.push(...events.map((event) => event.eventId));
    }
  };
  const senders = Array.from({ length: 4 }, () => sendOn().catch((error: unknown) => {
    // fetch says TypeError for any connection that fails.
    if (!(error instanceof TypeError)) throw error;
  }));
  return { answered, ended: Promise.all(senders), stop: () => void (stopped = true) };
}

async function expectNothingLost(answered: string[]): Promise<void> {
  await untilProcessed(server);
  const ids = await idsInHistory();
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(answered).difference(new Set(ids))).toEqual(new Set());
  expect(await totalOfProfiles()).toBe(ids.length);
  expect(await readMeter(server, "cdp_events_dead_lettered")).toBe(0);
  expect(await api.list("/api/cdp/quarantine")).toEqual([]);
}

beforeAll(async () => {
  server = await createServerProcess();
  await server.start();
  api = createClient(server.url);
});
afterAll(() => server.remove());

test("SIGTERM in the middle of traffic ends with 0, and nothing that was answered is lost", async () => {
  const traffic = startTraffic();
  await until("1,000 events were answered", () => traffic.answered.length >= 1000);
  const { code, output } = await server.stop();
  await traffic.ended;
  expect([code, output]).toEqual([0, expect.not.stringMatching(/"level":(50|60)/)]);
  server.launch();
  // The door opens before the databases do: what comes until then is taken, and reads say when to come back.
  await until("the door is open", () => api.post(eventsRoute, { type: "Viewed", eventId: "early", userId: "u0" }).then(({ status }) => status === 202, () => false));
  const early = await api.get("/api/cdp/profiles/lookup?type=external_id&value=u0");
  if (early.status !== 200) expect([early.status, early.headers.get("retry-after")]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  await server.ready();
  await expectNothingLost([...traffic.answered, "early"]);
});

test("an event is known by its id from its 2xx on, at every moment of its way", async () => {
  for (const event of rows(25)) {
    expect((await api.post(eventsRoute, event)).status).toBe(202);
    let status = "";
    await until("it is processed", async () => {
      status = await api.statusOf(event.eventId);
      expect(["waiting", "processed"]).toContain(status);
      return status === "processed";
    });
  }
});

test("neither a connection on which nothing was asked nor a request that never ends holds up a stop", async () => {
  const [silent, endless] = [connect(server.port, "127.0.0.1"), connect(server.port, "127.0.0.1")];
  for (const socket of [silent, endless]) socket.on("error", () => undefined);
  await Promise.all([once(silent, "connect"), once(endless, "connect")]);
  endless.write(`POST ${eventsRoute} HTTP/1.1\r\nHost: h\r\nX-Write-Key: x\r\nContent-Length: 100\r\n\r\n{`);
  expect((await server.stop()).code).toBe(0);
  for (const socket of [silent, endless]) socket.destroy();
  await server.start();
});

test("a second server on the same data directory is refused with a sentence, also by another path and with another TMPDIR; the first goes on", async () => {
  const link = join(server.dataDir, "link");
  await symlink(server.dataDir, link);
  for (const env of [{}, { DATA_DIR: link }, { TMPDIR: "/var/tmp" }] as { DATA_DIR?: string }[]) {
    const { code, output } = await server.runToEnd(env);
    expect([code, output]).toEqual([1, `Another Tributary runs on ${env.DATA_DIR ?? server.dataDir}. Stop it, or set DATA_DIR to another directory.\n`]);
  }
  expect((await api.post(eventsRoute, rows(1)[0])).status).toBe(202);
  await expectNothingLost([]);
});

test("a port that is taken is refused with a sentence", async () => {
  const other = await createServerProcess({ PORT: String(server.port) });
  const { code, output } = await other.runToEnd({ PORT: String(server.port) });
  expect([code, output]).toEqual([1, expect.stringContaining("EADDRINUSE")]);
  await other.remove();
});

test("without room on the disk events are refused until there is some, and health names it", async () => {
  await server.stop();
  await server.start({ DISK_RESERVE_BYTES: "1000TB" });
  await until("the disk was looked at", async () => (await api.get("/api/cdp/health")).status === 503);
  const refused = await api.post(eventsRoute, rows(1)[0]);
  expect([refused.status, refused.headers.get("retry-after"), refused.body]).toMatchObject([503, expect.stringMatching(/^\d+$/), { error: { code: "backlog_full" } }]);
  expect((await api.get("/api/cdp/health")).body).toMatchObject({ failing: ["disk"], accepting: false });
  expect((await api.get("/api/cdp/stats")).status).toBe(200);
});

describe("while PostgreSQL is away", () => {
  const controlFile = () => join(server.dataDir, "postgres/data/global/pg_control");
  /** Without its control file it cannot start. */
  async function takeAway(): Promise<void> {
    await rename(controlFile(), `${controlFile()}.away`);
    server.signalPostgres("SIGKILL", "postmaster");
    await until("state is down", async () => (await api.get("/api/cdp/stats")).status === 503);
  }
  const giveBack = () => rename(`${controlFile()}.away`, controlFile());

  beforeEach(async () => {
    await server.stop();
    await server.start();
  });
  afterEach(() => giveBack().catch(() => undefined));

  test("events are taken, reads are 503 with Retry-After, health names state, and all is processed afterwards without a restart", async () => {
    await takeAway();
    const sent = rows(500);
    expect((await api.post(`${eventsRoute}/batch`, { events: sent })).status).toBe(202);
    for (const path of ["/api/cdp/profiles/lookup?type=external_id&value=u1", eventsRoute, "/api/cdp/keys", "/api/cdp/stats"]) {
      const answer = await api.get(path);
      expect([path, answer.status, answer.headers.get("retry-after"), answer.body]).toMatchObject([path, 503, expect.stringMatching(/^\d+$/), { error: { code: "state_unavailable" } }]);
    }
    expect((await api.post("/api/cdp/sources", { name: "now" })).status).toBe(503);
    await until("health was looked at anew", async () => (await api.get("/api/cdp/health")).status === 503);
    const { body } = await api.get<{ failing: string[] }>("/api/cdp/health");
    expect(body).toMatchObject({ accepting: true, checks: { log: { ok: true }, history: { ok: true }, state: { ok: false } } });
    // Processing is soon named too, and nothing else.
    expect(body.failing.filter((name) => name !== "processing")).toEqual(["state"]);
    await until("processing has tried", async () => (await readMeter(server, "cdp_tick_failures")) > 0);
    await giveBack();
    await until("health is well", async () => (await api.get("/api/cdp/health")).status === 200);
    await expectNothingLost(sent.map((event) => event.eventId));
  });

  test("a server that is stopped then ends with 0, and the next start processes what it took", async () => {
    await takeAway();
    const sent = rows(50);
    expect((await api.post(`${eventsRoute}/batch`, { events: sent })).status).toBe(202);
    expect((await server.stop()).code).toBe(0);
    await giveBack();
    await server.start();
    await expectNothingLost(sent.map((event) => event.eventId));
  });

  test("traffic goes on while its postmaster is killed again and again", async () => {
    const traffic = startTraffic();
    for (const answered of [300, 1000, 2000]) {
      await until(`${answered} events were answered`, () => traffic.answered.length >= answered);
      const [, before] = server.pids();
      server.signalPostgres("SIGKILL", "postmaster");
      // The backends that it leaves behind may answer for a moment.
      const isBack = async (): Promise<boolean> => ![before, undefined].includes(server.pids()[1]) && (await api.get("/api/cdp/keys")).status === 200;
      await until("another one runs", isBack);
    }
    traffic.stop();
    await traffic.ended;
    await expectNothingLost(traffic.answered);
  });

  test("one that hangs holds up reads only: events are taken, health names it, and both go on when it does", async () => {
    server.signalPostgres("SIGSTOP", "all");
    const read = api.lookup("external_id", "u1");
    const sent = rows(50);
    expect((await api.post(`${eventsRoute}/batch`, { events: sent })).status).toBe(202);
    expect((await api.get("/api/cdp/health")).body).toMatchObject({ failing: ["state"], accepting: true });
    server.signalPostgres("SIGCONT", "all");
    expect((await read)?.totalEvents).toBeGreaterThan(0);
    await expectNothingLost(sent.map((event) => event.eventId));
  });
});

describe("a schema that a newer release wrote is refused with a sentence", () => {
  const newer = /^This database was written by a newer Tributary \(its schema has version 999, this release knows \d+\)\..*\n$/;

  test("in PostgreSQL", async () => {
    const db = connectPostgres({ ...databaseOf(server.dataDir), poolMax: 1 });
    await db.query("insert into schema_migration (version, name, applied_at, checksum) values (999, 'of-tomorrow', now(), '')");
    await db.close();
    await server.stop();
    const { code, output } = await server.runToEnd();
    expect([code, output]).toEqual([1, expect.stringMatching(newer)]);
  });

  test("in ClickHouse", async () => {
    const other = await createServerProcess();
    await other.start();
    await other.stop();
    const history = await connectHistory({ at: { path: join(other.dataDir, "history") }, database: "tributary" });
    await history.insert("schema_migration", [{ version: 999, name: "of-tomorrow", checksum: "", applied_at: 0 }]);
    await history.close();
    const { code, output } = await other.runToEnd();
    expect([code, output]).toEqual([1, expect.stringMatching(newer)]);
    await other.remove();
  });
});
