import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { registerBodyParsers } from "../1-ingest/index.ts";
import type { Reached } from "../contracts/commit-step.ts";
import type { EventLog } from "../contracts/event-log.ts";
import type { Logger } from "../contracts/logger.ts";
import type { Tracing } from "../contracts/tracing.ts";
import { systemClock } from "../core/clock.ts";
import { describeError } from "../core/describe-error.ts";
import { createApp } from "../http/index.ts";
import { holdable } from "../stores/log/hold-drops.ts";
import { openMirror } from "../stores/log/mirror.ts";
import { requireRestored } from "../stores/postgres/installation.ts";
import { requireSameSecret } from "../stores/postgres/require-same-secret.ts";
import { lockInstance } from "./instance-lock.ts";
import { openLog } from "./open-log.ts";
import { openHistory, openState, type OpenState } from "./open-stores.ts";
import { openTracing } from "./open-tracing.ts";
import { requireNoRestore } from "./restore/restoring-mark.ts";
import { createRooms, type Progress, type Rooms } from "./rooms.ts";
import { readSecrets, writePrivate } from "./secrets.ts";
import type { Settings } from "./settings.ts";
import { startProcessing } from "./start-partitions.ts";
import { readWorkerId } from "./worker-id.ts";

export interface RunningServer {
  app: FastifyInstance;
  url: string;
  /** The bootstrap key, when this start made it. */
  adminKey: string | undefined;
  /** Stops taking requests once it is known that it will, finishes the batch under way, and shuts the embedded engines down. */
  stop(): Promise<void>;
}

/** Of the time that a stop may take, what waits for answers at most; the rest is for the batches under way. */
const closeShare = 0.6;

export interface Startup {
  settings: Settings;
  logger: Logger;
  version: string;
  /** Told that the process is to end: the start ends when it still waits for a database, and nobody should send requests any more. */
  signal: AbortSignal;
  reached: Reached;
}

/** Starts everything in one process, unless `signal` ends the start. The door opens first, as soon as the log and the mirrored keys are there. */
export async function startServer(startup: Startup): Promise<RunningServer> {
  const { settings } = startup;
  await mkdir(settings.dataDir, { recursive: true });
  const closers: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    closers.push(await lockInstance(settings.dataDir));
    await requireNoRestore(settings.dataDir);
    return await start({ ...startup, closers, closeAll });
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Start extends Startup {
  closers: (() => unknown)[];
  closeAll(): Promise<void>;
}

async function start({ settings, logger, version, signal, reached, closers, closeAll }: Start): Promise<RunningServer> {
  const { pepper } = await readSecrets(settings.dataDir, settings);
  // They hold personal data: for the owner's eyes only. The directory itself stays passable, because PostgreSQL may have another owner.
  for (const name of ["log", "mirror", "history"]) await mkdir(join(settings.dataDir, name), { recursive: true, mode: 0o700 });
  const log = holdable(await openLog({ settings, logger, signal }));
  closers.push(() => log.close());
  const mirror = openMirror({ dir: join(settings.dataDir, "mirror") });
  closers.push(() => mirror.close());

  const tracing = settings.tracing && (await openTracing(settings.tracing, version, logger));
  closers.push(async () => tracing?.close());

  const progress: Progress = {};
  const stopped = { now: false };
  // The signal comes first, also in the middle of the start.
  const stopping = (): boolean => stopped.now || signal.aborted;
  const rooms = createRooms({ settings, logger, pepper, version, log, mirror, progress, reached });
  const { access, window, watch, db } = rooms;
  closers.push(() => watch.stop());
  const app = await openDoor({ settings, logger, version, log, rooms, progress, tracing, stopping });
  const url = await app.listen({ port: settings.port, host: settings.host });
  closers.push(() => app.close());

  const opening = { settings, log: logger, signal };
  const state = await openBoth(opening, rooms, closers);
  closers.push(() => rooms.backup.stop());
  await requireRestored(db);
  await requireSameSecret(db, "pepper", pepper, "Put secrets/pepper of the data directory back, or the old TRIBUTARY_PEPPER.");
  const { adminKey } = await access.bootstrap({
    ...(settings.adminKey !== undefined && { adminKey: settings.adminKey }),
    keepAdminKey: (key) => writePrivate(join(settings.dataDir, "admin-key"), `${key}\n`),
  });
  const shared = settings.kafka !== undefined;
  if (shared) closers.push(access.follow(state.listen));
  if (settings.roles.includes("worker")) {
    const workerId = await readWorkerId(settings.dataDir);
    progress.processing = await startProcessing({ rooms, tracing, log, logger, workerId, shared, tickMs: settings.tickerIntervalMs, leaseMs: settings.leaseMs });
  }

  // Others write what this process then would not know.
  const rebuilt = shared ? undefined : window.rebuild(() => stopped.now)
    .catch((error: unknown) => logger.warn({ error: describeError(error) }, "event keys were not loaded; history decides"));
  return {
    app, url, adminKey,
    async stop() {
      stopped.now = true;
      await sleep(settings.shutdownDelayMs);
      await app.close();
      await progress.processing?.stop();
      await rebuilt;
      await closeAll();
    },
  };
}

interface Door {
  settings: Settings;
  logger: Logger;
  version: string;
  log: EventLog;
  rooms: Rooms;
  progress: Progress;
  tracing: Tracing | undefined;
  stopping(): boolean;
}

/** The routes of what this process does, and how it is. Of a worker nobody wants answers: it is ready when the log can be read. */
async function openDoor({ settings, logger, version, log, rooms, progress, tracing, stopping }: Door): Promise<FastifyInstance> {
  const { access, ingest, window, profile, backup, watch, meters, db, history } = rooms;
  const isApi = settings.roles.includes("api");
  return await createApp({
    directory: access.directory, log: logger, clock: systemClock, meters, version, bodyLimit: settings.bodyBytesMax, registerBodyParsers,
    routes: isApi ? [ingest.routes, window.routes, access.routes, ...profile.routes, backup.routes] : [],
    checks: { log: () => log.check(), state: () => db.check(), history: () => history.check(), disk: watch.checkDisk, processing: async () => progress.processing?.check() },
    readyNeeds: ["log"],
    refusing: () => [
      ...(isApi && !access.directory.ready() ? ["keys"] : []), ...(isApi && watch.full() ? ["backlog"] : []), ...(stopping() ? ["stopping"] : []),
    ],
    stopping, tracing, closing: { closeMsMax: settings.shutdownTimeoutMs * closeShare },
  });
}

/** Opens both databases side by side; what was opened is closed when the other cannot be. */
async function openBoth(opening: Parameters<typeof openState>[0], { db, readDb, history }: Rooms, closers: (() => unknown)[]): Promise<OpenState> {
  const [state, past] = await Promise.allSettled([openState(opening, db, readDb), openHistory(opening, history)]);
  if (state.status === "fulfilled") closers.push(state.value.close);
  if (past.status === "fulfilled") closers.push(past.value);
  if (past.status === "rejected") throw past.reason;
  if (state.status === "rejected") throw state.reason;
  return state.value;
}
