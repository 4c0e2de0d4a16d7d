import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { Directory } from "../contracts/directory.ts";
import type { EventLog } from "../contracts/event-log.ts";
import type { Routes } from "../contracts/http.ts";
import type { Meters } from "../contracts/meters.ts";
import type { Clock } from "../core/clock.ts";
import type { PublicIds } from "../core/public-id.ts";
import { addRecord, type Backlog, createAppendRecords } from "./accept-events.ts";
import { createRoutes } from "./routes.ts";
import { createTakeRows } from "./take-rows.ts";
import { createTranslateRow } from "./translate-row.ts";

export { registerBodyParsers } from "./read-body.ts";
export { normaliseValue } from "./steps/normalise-value.ts";

interface Deps {
  log: EventLog;
  directory: Directory;
  clock: Clock;
  publicIds: PublicIds;
  meters: Meters;
  limits: { maxEventBytes: number; maxBatchSize: number; maxDepth: number };
  /** Milliseconds that events wait for stragglers, and the milliseconds beyond after which one is late. */
  windowMs: number;
  graceMs: number;
  /** Why no more events can be taken now, or undefined. Asked before each append. */
  backlog: Backlog;
}

export interface Ingest {
  routes: Routes;
  /** Makes canonical events durable, all or none; what was held and is replayed comes in here. */
  accept(events: CanonicalEvent[]): Promise<void>;
}

/** The door: rows of every surface in, canonical events in the log, answered once they are durable. */
export function createIngest(deps: Deps): Ingest {
  const lateness = { windowMs: deps.windowMs, graceMs: deps.graceMs };
  const appendRecords = createAppendRecords(deps);
  const translateRow = createTranslateRow({ publicIds: deps.publicIds, depthMax: deps.limits.maxDepth, lateness });
  const takeRows = createTakeRows({ ...deps, lateness, eventBytesMax: deps.limits.maxEventBytes, translateRow, shards: deps.log.shards, appendRecords });
  return {
    routes: createRoutes({ takeRows, batchSizeMax: deps.limits.maxBatchSize }),
    async accept(events) {
      const records = new Map<number, Uint8Array[]>();
      for (const event of events) addRecord(records, event, deps.log.shards);
      await appendRecords(records);
    },
  };
}
