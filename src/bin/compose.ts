import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { createAccess } from "../access/index.ts";
import { createIngest, normaliseValue, registerBodyParsers } from "../1-ingest/index.ts";
import { createWindow } from "../2-window/index.ts";
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
import { createLateHistory } from "../stores/clickhouse/late-history.ts";
import { openMirror } from "../stores/log/mirror.ts";
import { createLateDb } from "../stores/postgres/late-db.ts";
import { requireSameSecret } from "../stores/postgres/require-same-secret.ts";
import { isOutage } from "../stores/postgres/sqlstates.ts";
import { lockInstance } from "./instance-lock.ts";
import { openLog } from "./open-log.ts";
import { openHistory, openState, type OpenState } from "./open-stores.ts";
import { readSecrets, writePrivate } from "./secrets.ts";
import type { Settings } from "./settings.ts";
import { startProcessing, type Processing } from "./start-partitions.ts";
import { watchBacklog } from "./watch-backlog.ts";
import { readWorkerId } from "./worker-id.ts";

export interface RunningServer {
  app: FastifyInstance;
  url: string;
  /** The bootstrap key, when this start made it. */
  adminKey: string | undefined;
  /** Stops taking requests, finishes the batch under way, and shuts the embedded engines down. */
  stop(): Promise<void>;
}

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
    return await start({ ...startup, closers, closeAll });
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What processing hands to reading once it has begun. */
interface Progress {
  processing?: Processing;
}

interface Start extends Startup {
  closers: (() => unknown)[];
  closeAll(): Promise<void>;
}

async function start({ settings, logger, version, signal, reached, closers, closeAll }: Start): Promise<RunningServer> {
  const { pepper } = await readSecrets(settings.dataDir, settings);
  // They hold personal data: for the owner's eyes only. The directory itself stays passable, because PostgreSQL may have another owner.
  for (const name of ["log", "mirror", "history"]) await mkdir(join(settings.dataDir, name), { recursive: true, mode: 0o700 });
  const log = await openLog({ settings, logger, signal });
  closers.push(() => log.close());
  const mirror = openMirror({ dir: join(settings.dataDir, "mirror") });
  closers.push(() => mirror.close());

  const progress: Progress = {};
  const rooms = createRooms({ settings, logger, pepper, log, mirror, progress, reached });
  const { access, ingest, window, profile, watch, meters, db, history } = rooms;
  closers.push(() => watch.stop());
  const app = await createApp({
    directory: access.directory, log: logger, clock: systemClock, meters, version, bodyLimit: settings.bodyBytesMax, registerBodyParsers,
    routes: settings.roles.includes("api") ? [ingest.routes, window.routes, access.routes, ...profile.routes] : [],
    checks: { log: () => log.check(), state: () => db.check(), history: () => history.check(), disk: watch.checkDisk, processing: async () => progress.processing?.check() },
    accepting: () => settings.roles.includes("api") && access.directory.ready() && watch.full() === undefined,
  });
  const url = await app.listen({ port: settings.port, host: settings.host });
  closers.push(() => app.close());

  const opening = { settings, log: logger, signal };
  const state = await openBoth(opening, rooms, closers);
  await requireSameSecret(db, "pepper", pepper, "Put secrets/pepper of the data directory back, or the old TRIBUTARY_PEPPER.");
  const { adminKey } = await access.bootstrap({
    ...(settings.adminKey !== undefined && { adminKey: settings.adminKey }),
    keepAdminKey: (key) => writePrivate(join(settings.dataDir, "admin-key"), `${key}\n`),
  });
  const shared = settings.kafka !== undefined;
  if (shared) closers.push(access.follow(state.listen));
  if (settings.roles.includes("worker")) {
    const workerId = await readWorkerId(settings.dataDir);
    progress.processing = await startProcessing({ rooms, log, logger, workerId, shared, tickMs: settings.tickerIntervalMs, leaseMs: settings.leaseMs });
  }

  const stopping = { now: false };
  // Others write what this process then would not know.
  const rebuilt = shared ? undefined : window.rebuild(() => stopping.now)
    .catch((error: unknown) => logger.warn({ error: describeError(error) }, "event keys were not loaded; history decides"));
  return {
    app, url, adminKey,
    async stop() {
      stopping.now = true;
      await app.close();
      await progress.processing?.stop();
      await rebuilt;
      await closeAll();
    },
  };
}

/** Opens both databases side by side; what was opened is closed when the other cannot be. */
async function openBoth(opening: Parameters<typeof openState>[0], { db, history }: Rooms, closers: (() => unknown)[]): Promise<OpenState> {
  const [state, past] = await Promise.allSettled([openState(opening, db), openHistory(opening, history)]);
  if (state.status === "fulfilled") closers.push(state.value.close);
  if (past.status === "fulfilled") closers.push(past.value);
  if (past.status === "rejected") throw past.reason;
  if (state.status === "rejected") throw state.reason;
  return state.value;
}

interface RoomDeps {
  settings: Settings;
  logger: Logger;
  pepper: Buffer;
  log: EventLog;
  mirror: Mirror;
  progress: Progress;
  reached: Reached;
}
export type Rooms = ReturnType<typeof createRooms>;

/** Every room, handed what it needs of the others. The databases open later; until then what needs them answers 503. */
function createRooms({ settings, logger, pepper, log, mirror, progress, reached }: RoomDeps) {
  const clock = systemClock;
  const meters = createMeters();
  const publicIds = createPublicIds(pepper);
  const db = createLateDb();
  const history = createLateHistory();
  const access = createAccess({ db, mirror, clock, publicIds, isOutage });
  const { directory } = access;
  const settingsOf = (tenantId: number): TenantSettings => directory.tenant(tenantId)?.settings ?? defaultTenantSettings;
  const watch = watchBacklog({
    log, clock, dataDir: settings.dataDir, limits: settings,
    marks: () => [...(progress.processing?.running ?? [])].map(([shard, { partition }]) => [shard, partition.positions.lowWater]),
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
  const resolveDeps = { db, pepper, settingsOf, meters, log: logger };
  const resolve = createResolve({ ...resolveDeps, cacheMax: 1 });
  const segment = createSegment({ publicIds });
  const profile = createProfile({
    db, history, directory, clock, publicIds, meters, settingsOf,
    membersOf: resolve.membersOf, profilesOf: resolve.profilesOf,
    segmentIdsOf: segment.idsOf, segmentCountOf: (tenantId) => segment.definitions(tenantId).length,
    async findWaiting(keys) {
      const found = await Promise.all([...(progress.processing?.running.values() ?? [])].map(({ reader }) => reader.findWaiting(keys, waitingScanMax)));
      return new Set(found.flatMap((some) => [...some]));
    },
    hashOf(tenantId, kind, value) {
      const normalised = normaliseValue(kind, value, settingsOf(tenantId));
      return normalised === undefined ? undefined : resolve.hashOf(kind, normalised);
    },
  });
  const activate = createActivate({ db, history, publicIds, membersOf: resolve.membersOf, writeSystemEvents: profile.writeSystemEvents, reached });
  meters.gauge("cdp_log_bytes", () => log.stats().bytes);
  meters.gauge("cdp_backlog_events", () => [...(progress.processing?.running.values() ?? [])].reduce((sum, worked) => sum + worked.backlog(), 0));
  return { access, ingest, window, resolve, resolveDeps, profile, segment, activate, watch, meters, db, history, reached };
}
