import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import Fastify from "fastify";
import { createIngest, registerBodyParsers } from "../src/1-ingest/index.ts";
import type { Directory, Source, Tenant } from "../src/contracts/directory.ts";
import type { EventLog } from "../src/contracts/event-log.ts";
import { systemClock } from "../src/core/clock.ts";
import { createPublicIds } from "../src/core/public-id.ts";
import { defaultTenantSettings } from "../src/core/tenant-defaults.ts";
import { openLocalLog } from "../src/stores/log/local-log.ts";
import type { Workload } from "./workload.ts";

/** Rows a request, as a busy client sends them. */
export const rowsPerRequest = 200;
/** The rate at which the rows pretend to have arrived: a backlog is grouped by arrival as live events would have been. */
const arrivalsPerSecond = 20_000;
/** As the settings have them when nobody says otherwise. */
const lateness = { windowMs: 5_000, graceMs: 120_000 };
/** The last row arrived that long ago, so that the window is over when the server starts. */
const quietMs = 10_000;
/** Records an append: each is a flush, and only what is in the log in the end matters. */
const appendMin = 10_000;

/** A door of its own in front of a log, with the clock in the caller's hands: the records are those the server would write. */
interface Door {
  send(body: string, receivedAt: number): Promise<void>;
  close(): Promise<void>;
}

function openDoor(log: EventLog): Door {
  let now = 0;
  const ingest = createIngest({
    log, directory: directoryOfDefaultTenant(), clock: { now: () => now }, publicIds: createPublicIds(randomBytes(32)),
    meters: { add: () => undefined, gauge: () => undefined },
    limits: { maxEventBytes: 128 * 1024, maxBatchSize: 1000, maxDepth: 32 }, ...lateness, backlog: () => undefined,
  });
  const app = Fastify({ bodyLimit: 5 * 1024 ** 2 });
  registerBodyParsers(app);
  app.addHook("onRequest", async (request) => void (request.principal = { tenantId: 1, kind: "api-key", admin: true }));
  ingest.routes(app);
  return {
    async send(body, receivedAt) {
      now = receivedAt;
      const answer = await app.inject({ method: "POST", url: "/api/cdp/events/batch", payload: body, headers: { "content-type": "application/json" } });
      const { data } = answer.json<{ data?: { rejected: number } }>();
      if (answer.statusCode !== 202 || data?.rejected !== 0) throw new Error(`the door refused rows of the workload: ${answer.body.slice(0, 500)}`);
    },
    close: () => app.close(),
  };
}

/** Tenant `default` and its built-in sources, numbered as every installation has them. */
function directoryOfDefaultTenant(): Directory {
  const tenant: Tenant = { tenantId: 1, publicId: "tenant-1", name: "default", createdAt: 0, settings: defaultTenantSettings };
  const sources = (["stream", "api", "import"] as const).map((name, at): Source => ({
    tenantId: 1, sourceId: at + 1, publicId: `source-${name}`, name, latePolicy: name === "stream" ? "quarantine" : "apply", builtIn: true, createdAt: 0,
  }));
  return {
    ready: () => true,
    authenticate: () => undefined,
    tenant: () => tenant,
    source: (_tenantId, sourceId) => sources.find((source) => source.sourceId === sourceId),
    builtInSource: (_tenantId, name) => sources.find((source) => source.name === name),
    sources: () => sources,
  };
}

export interface Fill {
  /** Everybody of the workload once, first. */
  warmUp: boolean;
  /** Rows of the workload after that. */
  events: number;
}

/** Sends the rows through a door into `log`, as if they had arrived one after the other until a moment ago. */
async function sendThroughDoor(log: EventLog, workload: Workload, { warmUp, events }: Fill): Promise<void> {
  const door = openDoor(log);
  const people = warmUp ? workload.profiles : 0;
  const total = people + events;
  const startMs = Date.now() - quietMs - (total / arrivalsPerSecond) * 1000;
  const arrival = (row: number): number => Math.floor(startMs + (row / arrivalsPerSecond) * 1000);
  for (let from = 0; from < people; from += rowsPerRequest) {
    const to = Math.min(from + rowsPerRequest, people);
    const rows = Array.from({ length: to - from }, (_, i) => workload.warmUp(from + i, arrival(from)));
    await door.send(`{"events":[${rows.join(",")}]}`, arrival(from));
  }
  for (let sent = 0; sent < events; sent += rowsPerRequest) {
    const at = arrival(people + sent);
    await door.send(workload.body(Math.min(rowsPerRequest, events - sent), at), at);
  }
  await door.close();
}

/** A log that hands on what is appended. */
function createSink(take: (records: Uint8Array[]) => Promise<unknown>): EventLog {
  const refuse = (): never => {
    throw new Error("a log that is only written to");
  };
  return {
    logId: "sink", shards: [0], head: refuse, read: refuse, scan: refuse, readAt: refuse, dropBelow: refuse,
    append: async (_shard, records) => {
      await take(records);
      return 1;
    },
    stats: () => ({ bytes: 0, oldestAt: undefined }),
    check: async () => undefined,
    close: async () => undefined,
  };
}

/** Fills the log of a data directory that no server has open; it finds the rows when it starts. */
export async function fillDataDirectory(dataDir: string, workload: Workload, fill: Fill): Promise<void> {
  const dir = join(dataDir, "log");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const log = await openLocalLog({ dir, clock: systemClock });
  let waiting: Uint8Array[] = [];
  const write = async (): Promise<void> => {
    if (waiting.length > 0) await log.append(0, waiting);
    waiting = [];
  };
  try {
    await sendThroughDoor(createSink(async (records) => {
      if (waiting.push(...copies(records)) >= appendMin) await write();
    }), workload, fill);
    await write();
  } finally {
    await log.close();
  }
}

/** The records that the door makes of the next `events` rows, in memory. */
export async function makeRecords(workload: Workload, events: number): Promise<Uint8Array[]> {
  const made: Uint8Array[] = [];
  await sendThroughDoor(createSink(async (records) => made.push(...copies(records))), workload, { warmUp: false, events });
  return made;
}

/** Whoever appends may use the bytes again once they are written. */
const copies = (records: Uint8Array[]): Uint8Array[] => records.map((record) => Uint8Array.from(record));
