import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { EventLog } from "../contracts/event-log.ts";
import type { Directory } from "../contracts/directory.ts";
import type { Routes } from "../contracts/http.ts";
import type { Logger } from "../contracts/logger.ts";
import type { Meters } from "../contracts/meters.ts";
import type { Held, PipelineEvent } from "../contracts/pipeline-event.ts";
import type { Clock } from "../core/clock.ts";
import type { PositionSet } from "../core/position-set.ts";
import type { History } from "../stores/clickhouse/history.ts";
import { createRoutes } from "./routes.ts";
import { createFindDuplicates, type OnTheirWay } from "./steps/find-duplicates.ts";
import { createHoldEvents } from "./steps/hold-events.ts";
import { createOrderBuffer, type OrderBuffer } from "./steps/order-events.ts";
import { createLogReader, type LogReader } from "./steps/read-log.ts";
import { createRecentRows } from "./steps/recent-rows.ts";
import { rebuildMemory } from "./steps/rebuild-memory.ts";
import { createKeyMemory } from "./steps/remember-keys.ts";
import { createReplayHeld } from "./steps/replay-held.ts";

interface Deps {
  history: History;
  directory: Directory;
  clock: Clock;
  meters: Meters;
  log: Logger;
  /** Appends released events to the log; resolves when they are durable. */
  accept(events: CanonicalEvent[]): Promise<void>;
  windowMs: number;
  bufferBytesMax: number;
  memoryBytes: number;
  heldRetentionMs: number;
}

export type { LogReader };

/** What one partition's events go through, in the process that owns it. */
export interface PartitionWindow {
  reader: LogReader;
  findDuplicates(batch: PipelineEvent[], onTheirWay: OnTheirWay, again?: boolean): Promise<{ fresh: PipelineEvent[]; repeated: PipelineEvent[] }>;
  hold(held: Held[]): Promise<void>;
  /** Notes events that history is about to have. */
  remember(items: PipelineEvent[]): void;
  /** Notes events that history has, as applied. */
  arrived(items: PipelineEvent[]): void;
  /** Notes that an event was taken out of history again. */
  gone(key: string): void;
  /** Lets go of what waits: another process owns the partition. */
  close(): void;
}

export interface Window {
  /** Opens the window of a partition, which reads it from what is in state on. */
  open(log: EventLog, shard: number, positions: PositionSet): PartitionWindow;
  /** Fills the memory of event keys from history; resolves when a miss means something. */
  rebuild(stopped: () => boolean): Promise<void>;
  routes: Routes;
}

const batchMax = 8_000;
/** Rows of history that are known without asking it: at least those of the last seconds. */
const recentMax = 200_000;
const batchBytesMax = 16_000_000;

/** A window holds this much at least, however many share the memory: some 20,000 events. */
const bufferBytesMin = 1_000_000;

export function createWindow(deps: Deps): Window {
  const { history, meters, log, clock } = deps;
  const memory = createKeyMemory(deps.memoryBytes);
  const holdEvents = createHoldEvents({ history, now: clock.now, retentionMs: deps.heldRetentionMs });
  const opened = new Set<OrderBuffer>();
  meters.gauge("cdp_events_buffered", () => [...opened].reduce((sum, buffer) => sum + buffer.size, 0));
  return {
    open(eventLog, shard, positions) {
      const recent = createRecentRows(recentMax);
      const buffer = createOrderBuffer(Math.max(Math.min(bufferBytesMin, deps.bufferBytesMax), deps.bufferBytesMax / eventLog.shards.length));
      opened.add(buffer);
      const reader = createLogReader({
        log: eventLog,
        shard,
        from: positions.lowWater,
        lowWater: () => positions.lowWater,
        isDone: positions.has,
        buffer,
        windowMs: deps.windowMs,
        batchMax,
        batchBytesMax,
        onEarlyRelease: (count) => meters.add("cdp_window_early_releases", count),
      });
      return {
        reader,
        findDuplicates: createFindDuplicates({ history, memory, recent, waitingAt: buffer.positionOf, carriedAt: reader.carriedAt, meters, log }),
        async hold(held) {
          // Before, not after: of a write that is torn, history may have what nobody would ask it for.
          for (const { item } of held) memory.remember(item.key);
          await holdEvents(held);
        },
        remember(items) {
          for (const item of items) memory.remember(item.key);
        },
        arrived: recent.arrived,
        gone: recent.gone,
        close: () => void opened.delete(buffer),
      };
    },
    rebuild: (stopped) => rebuildMemory(history, memory, stopped),
    routes: createRoutes({ history, directory: deps.directory, replayHeld: createReplayHeld({ history, accept: deps.accept }) }),
  };
}
