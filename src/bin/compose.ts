import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { createAccess } from "../access/index.ts";
import { createBackup } from "../backup/index.ts";
import { createIngest, normaliseValue, registerBodyParsers } from "../1-ingest/index.ts";
import { createWindow, type LogReader } from "../2-window/index.ts";
import { createResolve } from "../3-resolve/index.ts";
import { createProfile } from "../4-profile/index.ts";
import { createSegment } from "../5-segment/index.ts";
import { createActivate } from "../6-activate/index.ts";
import type { Reached } from "../contracts/commit-step.ts";
import type { TenantSettings } from "../contracts/directory.ts";
import type { EventLog } from "../contracts/event-log.ts";
import type { Logger } from "../contracts/logger.ts";
import type { Mirror } from "../contracts/mirror.ts";
import { systemClock } from "../core/clock.ts";
import { describeError } from "../core/describe-error.ts";
import { createPublicIds } from "../core/public-id.ts";
import { defaultTenantSettings } from "../core/tenant-defaults.ts";
import { createApp, createMeters } from "../http/index.ts";
import { startPartitionWorker, type PartitionWorker } from "../partition-worker.ts";
import { createPipeline } from "../pipeline.ts";
import { isBadHistoryData } from "../stores/clickhouse/connect.ts";
import { createLateHistory } from "../stores/clickhouse/late-history.ts";
import { openMirror } from "../stores/log/mirror.ts";
import { holdable, type HoldableLog } from "../stores/log/hold-drops.ts";
import { requireRestored } from "../stores/postgres/installation.ts";
import { createLateDb } from "../stores/postgres/late-db.ts";
import { probePartition, takePartition, type OwnedPartition } from "../stores/postgres/partitions.ts";
import { requireSameSecret } from "../stores/postgres/require-same-secret.ts";
import { isBadData, isOutage } from "../stores/postgres/sqlstates.ts";
import { lockInstance } from "./instance-lock.ts";
import { openLog } from "./open-log.ts";
import { openHistory, openState } from "./open-stores.ts";
import { requireNoRestore } from "./restore/restoring-mark.ts";
import { readSecrets, writePrivate } from "./secrets.ts";
import type { Settings } from "./settings.ts";
import { watchBacklog } from "./watch-backlog.ts";

export interface RunningServer {
  app: FastifyInstance;
  url: string;
  /** The bootstrap key, when this start made it. */
  adminKey: string | undefined;
  /** Stops taking requests, finishes the batch under way, and shuts the embedded engines down. */
  stop(): Promise<void>;
}

const shard = 0;
const bufferBytesMax = 64_000_000;
const memoryBytes = 2 ** 27;
const waitingScanMax = 1_000_000;
const depthMax = 32;

export interface Startup {
  settings: Settings;
  logger: Logger;
  version: string;
  /** Ends the start when it is still waiting for a database. */
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

/** What processing hands to reading once a partition is taken. */
interface Progress {
  worker?: PartitionWorker;
  reader?: LogReader;
  partition?: OwnedPartition;
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

  const progress: Progress = {};
  const rooms = createRooms({ settings, logger, pepper, version, log, mirror, progress, reached });
  const { access, ingest, window, profile, backup, watch, meters, db, history } = rooms;
  closers.push(() => watch.stop());
  const app = await createApp({
    directory: access.directory, log: logger, clock: systemClock, meters, version, bodyLimit: settings.bodyBytesMax, registerBodyParsers,
    routes: [ingest.routes, window.routes, access.routes, ...profile.routes, backup.routes],
    checks: { log: () => log.check(), state: () => db.check(), history: () => history.check(), disk: watch.checkDisk, processing: async () => progress.worker?.check() },
    accepting: () => access.directory.ready() && watch.full() === undefined,
  });
  const url = await app.listen({ port: settings.port, host: settings.host });
  closers.push(() => app.close());

  const opening = { settings, log: logger, signal };
  const opened = await Promise.allSettled([openState(opening, db), openHistory(opening, history)]);
  for (const store of opened) if (store.status === "fulfilled") closers.push(store.value);
  for (const store of opened) if (store.status === "rejected") throw store.reason;
  closers.push(() => backup.stop());
  await requireRestored(db);
  await requireSameSecret(db, "pepper", pepper, "Put secrets/pepper of the data directory back, or the old TRIBUTARY_PEPPER.");
  const { adminKey } = await access.bootstrap({
    ...(settings.adminKey !== undefined && { adminKey: settings.adminKey }),
    keepAdminKey: (key) => writePrivate(join(settings.dataDir, "admin-key"), `${key}\n`),
  });
  const worker = await startProcessing(rooms, log, progress, settings, logger);

  const stopping = { now: false };
  const rebuilt = window.rebuild(() => stopping.now).catch((error: unknown) => logger.warn({ error: describeError(error) }, "event keys were not loaded; history decides"));
  return {
    app, url, adminKey,
    async stop() {
      stopping.now = true;
      await app.close();
      await worker.stop();
      await rebuilt;
      await closeAll();
    },
  };
}

interface RoomDeps {
  settings: Settings;
  logger: Logger;
  pepper: Buffer;
  version: string;
  log: HoldableLog;
  mirror: Mirror;
  progress: Progress;
  reached: Reached;
}
type Rooms = ReturnType<typeof createRooms>;

/** Every room, handed what it needs of the others. The databases open later; until then what needs them answers 503. */
function createRooms({ settings, logger, pepper, version, log, mirror, progress, reached }: RoomDeps) {
  const clock = systemClock;
  const meters = createMeters();
  const publicIds = createPublicIds(pepper);
  const db = createLateDb();
  const history = createLateHistory();
  const access = createAccess({ db, mirror, clock, publicIds, isOutage });
  const { directory } = access;
  const settingsOf = (tenantId: number): TenantSettings => directory.tenant(tenantId)?.settings ?? defaultTenantSettings;
  const watch = watchBacklog({
    log, shard, clock, dataDir: settings.dataDir, limits: settings, lowWater: () => progress.partition?.positions.lowWater,
    onError: (error) => logger.warn({ error: describeError(error) }, "the backlog could not be looked at"),
  });

  const ingest = createIngest({
    log, directory, clock, publicIds, meters,
    limits: { maxEventBytes: settings.eventBytesMax, maxBatchSize: settings.batchSizeMax, maxDepth: depthMax },
    windowMs: settings.windowSizeMs, graceMs: settings.gracePeriodMs, backlog: watch.full,
  });
  const window = createWindow({
    history, directory, clock, meters, log: logger, accept: ingest.accept, windowMs: settings.windowSizeMs,
    bufferBytesMax, memoryBytes, heldRetentionMs: settings.quarantineRetentionMs,
  });
  const resolve = createResolve({ db, pepper, settingsOf, meters, log: logger });
  const segment = createSegment({ publicIds });
  const profile = createProfile({
    db, history, directory, clock, publicIds, meters, settingsOf,
    membersOf: resolve.membersOf, profilesOf: resolve.profilesOf,
    segmentIdsOf: segment.idsOf, segmentCountOf: (tenantId) => segment.definitions(tenantId).length,
    findWaiting: async (keys) => (await progress.reader?.findWaiting(keys, waitingScanMax)) ?? new Set(),
    hashOf(tenantId, kind, value) {
      const normalised = normaliseValue(kind, value, settingsOf(tenantId));
      return normalised === undefined ? undefined : resolve.hashOf(kind, normalised);
    },
  });
  const activate = createActivate({ db, history, publicIds, membersOf: resolve.membersOf, writeSystemEvents: profile.writeSystemEvents, reached });
  const backup = createBackup({ db, history, log, clock, version, logger });
  meters.gauge("cdp_log_bytes", () => log.stats().bytes);
  meters.gauge("cdp_backlog_events", () => progress.worker?.backlog() ?? 0);
  return { access, ingest, window, resolve, profile, segment, activate, backup, watch, meters, db, history, reached };
}

/** Takes the partition and starts to process it. */
async function startProcessing(rooms: Rooms, log: EventLog, progress: Progress, settings: Settings, logger: Logger): Promise<PartitionWorker> {
  const { db, history, window, resolve, profile, segment, activate, meters, reached } = rooms;
  await resolve.advancePast(await profile.largestIdentity());
  const partition = await takePartition(db, log.logId, shard, `${hostname()}:${process.pid}`);
  const inHistory = await profile.positionsInHistoryFrom(partition.partitionId, partition.positions);
  await reached("owned", []);
  const reader = window.read(log, shard, partition.positions);
  const pipeline = createPipeline({
    partition, inHistory, db, window, resolve, profile, segment, activate, meters, logger, isPoison, reached,
    healthy: () => Promise.all([probePartition(db, partition), history.check()]).then(() => true, () => false),
  });
  const worker = startPartitionWorker({
    log, shard, partition, reader, pipeline, drain: activate.drain, clock: systemClock, meters, logger, tickMs: settings.tickerIntervalMs, reached,
  });
  Object.assign(progress, { partition, reader, worker });
  return worker;
}

/** Rows that a database refuses, and programs that trip over them. Anything else is an outage and is waited for. */
const isPoison = (error: unknown): boolean =>
  isBadData(error) || isBadHistoryData(error) || error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
