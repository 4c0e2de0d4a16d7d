import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSecrets } from "../src/bin/secrets.ts";
import { createPublicIds } from "../src/core/public-id.ts";
import { connectHistory } from "../src/stores/clickhouse/connect.ts";
import type { History } from "../src/stores/clickhouse/history.ts";
import { startEmbeddedPostgres } from "../src/stores/postgres/embedded.ts";
import { connectPostgres } from "../src/stores/postgres/pool.ts";
import { untilProcessed } from "../src/testing/server-client.ts";
import { adminKey, createServerProcess, type ServerProcess } from "../src/testing/server-process.ts";
import { silentLog } from "../src/testing/silent-log.ts";
import type { Figure } from "./figure.ts";
import type { Crowd } from "./read/crowd.ts";
import { fillHistory } from "./read/fill-history.ts";
import { fillState } from "./read/fill-state.ts";
import { load, type Seen } from "./read/load.ts";
import { eventReads, measureBareQueries, profileReads, type Read } from "./read/reads.ts";

const floorServer = fileURLToPath(new URL("read/floor-server.ts", import.meta.url));
const sender = fileURLToPath(new URL("read/send-events.ts", import.meta.url));
const profileGoal = "≤ 1.5 × the time, p99 < 10 ms";

interface Settings {
  crowd: Crowd;
  readers: number;
  forMs: number;
  /** Events a second while ingestion runs. */
  rate: number;
}

function settingsOf(options: Record<string, string | undefined>): Settings {
  const number = (name: string, fallback: number): number => Number(options[name] ?? fallback);
  const persons = number("profiles", 1_000_000);
  const total = number("events", 20 * persons);
  const events = Math.max(1, Math.floor(total / persons));
  const crowd = { persons, events, heavyEvents: Math.min(100_000, Math.floor((persons * events) / 10)) };
  return { crowd, readers: number("readers", 16), forMs: number("seconds", 3) * 1000, rate: number("rate", 3000) };
}

/**
 * Reads at scale: profiles by id and by every kind of identifier, timelines and event queries, with and without ingestion.
 * Options: profiles (1,000,000), events (20 a profile), readers (16), seconds a measurement (3), rate of ingestion (3,000/s).
 */
export async function benchRead(options: Record<string, string | undefined>): Promise<Figure[]> {
  const settings = settingsOf(options);
  const server = await createServerProcess({
    EVENT_PROCESSOR_WINDOW_SIZE: "5s", EVENT_PROCESSOR_TICKER_INTERVAL: "1s", ...(options["profile"] !== undefined && { NODE_OPTIONS: options["profile"] }),
  });
  const children: ChildProcess[] = [];
  try {
    await server.start();
    await server.stop();
    const bare = await fill(server.dataDir, settings);
    await server.start();
    await untilIdle(server);
    const { pepper } = await readSecrets(server.dataDir, { pepper: undefined });
    const reads = [...profileReads(settings.crowd, createPublicIds(pepper)), ...eventReads(settings.crowd, createPublicIds(pepper))];
    const floorPort = server.port + 1;
    children.push(await startChild([floorServer, server.dataDir, String(floorPort)]));
    const measured = { ...settings, reads, bare, port: server.port, floorPort };

    const idle = await measure(measured, "idle");
    children.push(await startChild([sender, server.url, adminKey, String(settings.crowd.persons), String(settings.rate)], false));
    const busy = await measure(measured, `at ${settings.rate} events/s`);
    return [...idle, ...busy];
  } finally {
    for (const child of children) child.kill("SIGKILL");
    if (options["profile"] !== undefined) await server.stop();
    await server.remove();
  }
}

/** Fills the directory while no server runs on it, and measures the bare queries there: the engine opens in one process at a time. */
async function fill(dataDir: string, settings: Settings): Promise<Map<string, Seen>> {
  const { pepper } = await readSecrets(dataDir, { pepper: undefined });
  const tell = (what: string) => (done: number) => void process.stderr.write(`\r${what} ${(done / 1000).toFixed(0)} k   `);
  const postgres = await startEmbeddedPostgres({ dir: join(dataDir, "postgres"), log: silentLog });
  // A single connection has no time-outs of readers: the fill takes its time.
  const db = connectPostgres({ ...postgres.settings, poolMax: 1 });
  await fillState(db, pepper, settings.crowd, tell("profiles"));
  await db.close();
  await postgres.stop();
  const history: History = await connectHistory({ at: { path: join(dataDir, "history") }, database: "tributary" });
  try {
    await fillHistory(history, settings.crowd, tell("events"));
    process.stderr.write("\n");
    return await measureBareQueries(history, settings.crowd, settings.readers, settings.forMs);
  } finally {
    await history.close();
  }
}

interface Measured extends Settings {
  reads: Read[];
  bare: Map<string, Seen>;
  port: number;
  floorPort: number;
}

/** Each read beside its floor, one right after the other, so that whatever else the machine does falls on both. */
async function measure({ reads, bare, port, floorPort, crowd, readers, forMs }: Measured, when: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const read of reads) {
    const floor = read.floor === "row" ? await load({ port: floorPort, key: "", path: (i) => `/floor/${1 + 5 * ((i * 7919) % crowd.persons)}`, readers, forMs }) : bare.get(read.floor);
    const seen = await load({ port, key: adminKey, path: read.path, readers, forMs });
    const figure: Figure = {
      name: `${read.name}, ${when}`, value: seen.p50, unit: "ms (p50)",
      ...(floor && { floor: { name: read.floor === "row" ? "one indexed row by a bare route" : "the bare query", value: floor.p50 } }),
      ...(read.floor === "row" && { goal: profileGoal }),
      detail: { p95: seen.p95, p99: seen.p99, "per second": seen.perSecond, ...(floor && { "floor p99": floor.p99, "floor per second": floor.perSecond }), bytes: seen.bytes, readers },
    };
    process.stderr.write(`${figure.name}: ${JSON.stringify(figure.detail)} p50 ${seen.p50} / ${floor?.p50} = ${(seen.p50 / (floor?.p50 ?? NaN)).toFixed(2)}\n`);
    figures.push(figure);
  }
  return figures;
}

/** A child that is ready when it first writes, or at once. */
async function startChild(args: string[], waits = true): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit").then(() => Promise.reject(new Error(`${args[0]} ended`)));
  ended.catch(() => undefined);
  if (waits) await Promise.race([once(child.stdout, "data"), ended]);
  child.stdout.resume();
  return child;
}

/** The server loads the keys of recent events when it starts; it reads as fast as it will once that is done. */
async function untilIdle(server: ServerProcess): Promise<void> {
  await untilProcessed(server);
  for (let quiet = 0; quiet < 3;) {
    const before = await cpuSecondsOf(server);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    quiet = (await cpuSecondsOf(server)) - before < 0.2 ? quiet + 1 : 0;
  }
}

async function cpuSecondsOf(server: ServerProcess): Promise<number> {
  const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${adminKey}` } });
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(await response.text())?.[1]);
}
