import { createAccess } from "../access/index.ts";
import { createBackup } from "../backup/index.ts";
import { createIngest, normaliseValue } from "../1-ingest/index.ts";
import { createWindow, type LogReader } from "../2-window/index.ts";
import { createResolve } from "../3-resolve/index.ts";
import { createProfile } from "../4-profile/index.ts";
import { createSegment } from "../5-segment/index.ts";
import { createActivate } from "../6-activate/index.ts";
import type { Reached } from "../contracts/commit-step.ts";
import type { TenantSettings } from "../contracts/directory.ts";
import type { Logger } from "../contracts/logger.ts";
import type { Mirror } from "../contracts/mirror.ts";
import { systemClock } from "../core/clock.ts";
import { describeError } from "../core/describe-error.ts";
import { createPublicIds } from "../core/public-id.ts";
import { defaultTenantSettings } from "../core/tenant-defaults.ts";
import { createMeters } from "../http/index.ts";
import type { Running } from "../lease-partitions.ts";
import { createLateHistory } from "../stores/clickhouse/late-history.ts";
import type { HoldableLog } from "../stores/log/hold-drops.ts";
import { createLateDb } from "../stores/postgres/late-db.ts";
import type { OwnedPartition } from "../stores/postgres/partitions.ts";
import { isOutage } from "../stores/postgres/sqlstates.ts";
import type { Settings } from "./settings.ts";
import { watchBacklog } from "./watch-backlog.ts";

const bufferBytesMax = 64_000_000;
const memoryBytes = 2 ** 27;
const waitingScanMax = 1_000_000;
const depthMax = 32;

/** A partition of the log on which this process works. */
export interface Worked extends Running {
  partition: OwnedPartition;
  reader: LogReader;
  /** Accepted events that are not in state. */
  backlog(): number;
}

/** What this process processes. */
export interface Processing extends Running {
  running: ReadonlyMap<number, Worked>;
}

/** What processing hands to reading once it has begun. */
export interface Progress {
  processing?: Processing;
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
export type Rooms = ReturnType<typeof createRooms>;

/** Every room, handed what it needs of the others. The databases open later; until then what needs them answers 503. */
export function createRooms({ settings, logger, pepper, version, log, mirror, progress, reached }: RoomDeps) {
  const clock = systemClock;
  const meters = createMeters();
  const publicIds = createPublicIds(pepper);
  const [db, readDb] = [createLateDb(), createLateDb()];
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
    db, readDb, history, directory, clock, publicIds, meters, settingsOf,
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
  const backup = createBackup({ db, history, log, clock, version, logger });
  meters.gauge("cdp_log_bytes", () => log.stats().bytes);
  meters.gauge("cdp_backlog_events", () => [...(progress.processing?.running.values() ?? [])].reduce((sum, worked) => sum + worked.backlog(), 0));
  return { access, ingest, window, resolve, resolveDeps, profile, segment, activate, backup, watch, meters, db, readDb, history, reached };
}
