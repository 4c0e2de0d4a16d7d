import { join } from "node:path";
import { columns } from "../../src/4-profile/steps/write-history.ts";
import type { EventLog } from "../../src/contracts/event-log.ts";
import { systemClock } from "../../src/core/clock.ts";
import { connectHistory } from "../../src/stores/clickhouse/connect.ts";
import type { History } from "../../src/stores/clickhouse/history.ts";
import { migrateHistory } from "../../src/stores/clickhouse/migrate.ts";
import { openLocalLog } from "../../src/stores/log/local-log.ts";
import type { Db } from "../../src/stores/postgres/db.ts";
import { startEmbeddedPostgres } from "../../src/stores/postgres/embedded.ts";
import { migratePostgres } from "../../src/stores/postgres/migrate.ts";
import { connectPostgres } from "../../src/stores/postgres/pool.ts";
import { fillDataDirectory } from "../log-filler.ts";
import { createUsageMeter, postgresPids, since } from "../processes.ts";
import { makeDataDirectory } from "../start-server.ts";
import { createWorkload } from "../workload.ts";
import { prebuild, rowLayout, type PrebuiltBatch } from "./prebuilt.ts";
import { fillState, touchState } from "./state.ts";

export interface FloorTask {
  profiles: number;
  /** Events of each of the two measurements. */
  events: number;
  /** Events a batch: as many as the server takes. */
  batch: number;
  /** Size of a profile's packed aggregates. */
  aggregatesBytes: number;
  seed: number;
}

interface FloorRate {
  eventsPerS: number;
  processMicrosPerEvent: number;
  postgresMicrosPerEvent: number;
}

export interface FloorResult {
  /** One batch after the other. */
  oneByOne: FloorRate;
  /** The history of a batch is written while the state of the one before is. */
  overlapped: FloorRate;
}

interface Engines {
  dir: string;
  log: EventLog;
  history: History;
  db: Db;
}

const migrations = new URL("../../migrations/", import.meta.url);
const silent = { debug() {}, info() {}, warn() {}, error() {} };
/** More rows than this are not kept ready: they come again under other keys and positions. */
const prebuiltMax = 100_000;

/** The same bulk reads and writes as the server's, on the same engines and tables, with no logic between them. */
async function run(task: FloorTask): Promise<FloorResult> {
  const data = await makeDataDirectory("floor");
  const prebuilt = Math.max(task.batch, Math.min(prebuiltMax, task.events) - (Math.min(prebuiltMax, task.events) % task.batch));
  await fillDataDirectory(data.dir, createWorkload({ profiles: task.profiles, seed: task.seed, run: "floor" }), { warmUp: false, events: prebuilt });
  const log = await openLocalLog({ dir: join(data.dir, "log"), clock: systemClock });
  const postgres = await startEmbeddedPostgres({ dir: join(data.dir, "postgres"), log: silent });
  const db = connectPostgres(postgres.settings);
  const history = await connectHistory({ at: { path: join(data.dir, "history") }, database: "tributary" });
  try {
    await migratePostgres(db, new URL("postgres/", migrations));
    await migrateHistory(history, new URL("clickhouse/", migrations));
    await fillState(db, task.profiles, task.aggregatesBytes);
    const batches = await prebuild(log, prebuilt, task.batch, task.profiles);
    const engines = { dir: data.dir, log, history, db };
    // The first round finds cold caches; it counts for nobody.
    await measure(engines, batches, task, false, 0);
    return { oneByOne: await measure(engines, batches, task, false, 1), overlapped: await measure(engines, batches, task, true, 2) };
  } finally {
    await history.close();
    await db.close();
    await postgres.stop();
    await log.close();
    await data.remove();
  }
}

async function measure({ dir, log, history, db }: Engines, batches: PrebuiltBatch[], { events, batch }: FloorTask, overlap: boolean, round: number): Promise<FloorRate> {
  const usage = createUsageMeter(() => postgresPids(dir));
  const [before, cpuBefore, startMs] = [usage.read(), process.cpuUsage(), performance.now()];
  const count = round === 0 ? Math.min(batches.length, 3) : Math.max(1, Math.round(events / batch));
  let state: Promise<void> = Promise.resolve();
  for (let n = 0; n < count; n++) {
    const at = n % batches.length;
    const current = batches[at] as PrebuiltBatch;
    await log.read(0, 1 + at * batch, batch, Infinity);
    rename(current, (round * 1000 + n) * 1_000_000_000);
    await history.insertBinary("events", columns, current.rows, (out, row) => out.raw(row, 0, row.length));
    await state;
    state = touchState(db, current, Date.now());
    if (!overlap) await state;
  }
  await state;
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const done = count * batch;
  return {
    eventsPerS: done / seconds,
    processMicrosPerEvent: (user + system) / done,
    postgresMicrosPerEvent: (since(usage.read(), before).cpuS / done) * 1e6,
  };
}

/** The rows again, as other events. */
function rename({ rows }: PrebuiltBatch, base: number): void {
  rows.forEach((row, at) => {
    row.writeBigUInt64LE(BigInt(base + at), rowLayout.key);
    row.writeBigUInt64LE(BigInt(base + at), rowLayout.position);
  });
}

const result = await run(JSON.parse(process.argv[2] as string) as FloorTask);
process.send?.(result);
process.disconnect();
