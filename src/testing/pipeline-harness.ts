import { hash, randomUUID } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import { createWindow } from "../2-window/index.ts";
import { createResolve } from "../3-resolve/index.ts";
import { createProfile } from "../4-profile/index.ts";
import { createSegment } from "../5-segment/index.ts";
import { createActivate } from "../6-activate/index.ts";
import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { Directory, TenantSettings } from "../contracts/directory.ts";
import type { EventLog } from "../contracts/event-log.ts";
import type { Routes } from "../contracts/http.ts";
import type { MeterName, Meters } from "../contracts/meters.ts";
import { systemClock } from "../core/clock.ts";
import { ApiError } from "../core/errors.ts";
import { encodeRecord } from "../core/log-record.ts";
import { createPublicIds } from "../core/public-id.ts";
import { createPipeline } from "../pipeline.ts";
import type { History } from "../stores/clickhouse/history.ts";
import { isBadHistoryData } from "../stores/clickhouse/connect.ts";
import type { Db } from "../stores/postgres/db.ts";
import { takePartition } from "../stores/postgres/partitions.ts";
import { isBadData } from "../stores/postgres/sqlstates.ts";
import { createFaults, createFaultyDb, createFaultyHistory, type Fault, type Faults } from "./faulty-stores.ts";
import { createMemoryLog } from "./memory-log.ts";
import { clonePostgres } from "./postgres-clone.ts";
import type { Accepted } from "./reference-components.ts";
import { silentLog } from "./silent-log.ts";
import { openTestHistory } from "./test-history.ts";

export const pepper = Buffer.from("pepper of the tests");
export const publicIds = createPublicIds(pepper);
export const windowMs = 5000;

/** What of a process is not given by what it stores. Small numbers make caches forget. */
export interface ProcessOptions {
  memoryBytes: number;
  bufferBytesMax: number;
  cacheMax: number;
  /** Whether the memory of event keys is filled from history at a start. */
  rebuild: boolean;
}

export interface PipelineHarness {
  db: Db;
  history: History;
  /** New tenants with a log of their own, and a process that works on it. */
  startWorld(settings: TenantSettings[], options: ProcessOptions, faults: Fault[]): Promise<World>;
  /** A log and a process beside those of another world, for the same tenants. */
  startBeside(world: World, options: ProcessOptions, faults: Fault[]): Promise<World>;
  close(): Promise<void>;
}

/** Opens the real engines, once for a test file. */
export async function openPipelineHarness(): Promise<PipelineHarness> {
  const [clone, test] = [await clonePostgres(), await openTestHistory()];
  const stores = { db: clone.db, history: test.history };
  return {
    ...stores,
    async startWorld(settings, options, faults) {
      const tenants = new Map<number, TenantSettings>();
      for (const own of settings) tenants.set(await insertTenant(stores.db), own);
      return await startWorld(stores, tenants, options, createFaults(faults));
    },
    startBeside: ({ tenantIds, settingsOf }, options, faults) =>
      startWorld(stores, new Map(tenantIds.map((id) => [id, settingsOf(id)])), options, createFaults(faults)),
    async close() {
      await clone.drop();
      await test.drop();
    },
  };
}

interface Stores {
  db: Db;
  history: History;
}
type SettingsOf = (tenantId: number) => TenantSettings;
export type World = Awaited<ReturnType<typeof startWorld>>;

async function startWorld(stores: Stores, tenants: ReadonlyMap<number, TenantSettings>, options: ProcessOptions, faults: Faults) {
  const tenantIds = [...tenants.keys()];
  const settingsOf: SettingsOf = (tenantId) => tenants.get(tenantId) as TenantSettings;
  const log = createMemoryLog({ logId: randomUUID() });
  await log.append(0, [Buffer.of()]); // real positions start at 1
  const meters = createCounter();
  const start = () => startProcess(stores, log, settingsOf, options, faults, meters);
  const world = {
    tenantIds, settingsOf, log, faults, meters,
    process: await start(),
    /** What was accepted so far, in the order of the log, with names in place of profile numbers. */
    accepted: [] as Accepted[],
    /** The process dies: everything that is not in a store is gone. */
    async restart(): Promise<void> {
      world.process = await start();
    },
    /** Accepts events of tenants counted from 0. Keys are the same in every world but for their last digits, so that order is. */
    async append(events: readonly CanonicalEvent[]): Promise<void> {
      const { armed } = faults;
      faults.armed = false;
      for (const drawn of events) {
        const event = { ...drawn, tenantId: tenantIds[drawn.tenantId] as number };
        const ofEvent = hash("sha256", `${drawn.tenantId} ${drawn.sourceId} ${drawn.eventId}`).slice(0, 20);
        const key = ofEvent + (tenantIds[0] ?? 0).toString(16).padStart(12, "0");
        world.accepted.push({ event, key });
        await log.append(0, [encodeRecord(await withNumbers(world.process.resolve, event), key)]);
      }
      faults.armed = armed;
    },
  };
  return world;
}

async function insertTenant(db: Db): Promise<number> {
  const [row] = await db.query<{ id: number }>("insert into tenant (name, created_at) values ('test', now()) returning tenant_id as id");
  return (row as { id: number }).id;
}

/** A profile id can only be sent when it was given out, so its identity is made first. */
async function withNumbers(resolve: Process["resolve"], event: CanonicalEvent): Promise<CanonicalEvent> {
  const identifiers = event.identifiers.map(async (identifier) => {
    if (identifier.kind !== "profile") return identifier;
    const [, kind = "", value = ""] = /^person ([^:]*):(.*)$/.exec(identifier.value) ?? [];
    const [[number] = []] = await resolve.mint([{ ...event, identifiers: [{ entity: "person", kind, value }] }]);
    return { ...identifier, value: String(number) };
  });
  return { ...event, identifiers: await Promise.all(identifiers) };
}

export type Process = Awaited<ReturnType<typeof startProcess>>;

/** The rooms in order, as a server composes them, but without its door and its timers. */
async function startProcess(stores: Stores, log: EventLog, settingsOf: SettingsOf, options: ProcessOptions, faults: Faults, meters: Meters) {
  const [db, history] = [createFaultyDb(stores.db, faults), createFaultyHistory(stores.history, faults)];
  const [directory, { cacheMax }] = [directoryOf(settingsOf), options];
  const windows = createWindow({
    history, directory, clock: systemClock, meters, log: silentLog, accept: async () => undefined, windowMs,
    bufferBytesMax: options.bufferBytesMax, memoryBytes: options.memoryBytes, heldRetentionMs: 86_400_000,
  });
  const resolve = createResolve({ db, pepper, settingsOf, meters, log: silentLog, cacheMax });
  const segment = createSegment({ publicIds });
  const profile = createProfile({
    db, readDb: db, history, directory, clock: systemClock, publicIds, meters, settingsOf,
    membersOf: resolve.membersOf, profilesOf: resolve.profilesOf,
    segmentIdsOf: segment.idsOf, segmentCountOf: (tenantId) => segment.definitions(tenantId).length, findWaiting: async () => new Set(),
    hashOf: (_tenantId, kind, value) => resolve.hashOf(kind, value),
  });
  const activate = createActivate({ db, history, publicIds, membersOf: resolve.membersOf, writeSystemEvents: profile.writeSystemEvents, reached: () => undefined });

  const { armed } = faults;
  faults.armed = false;
  await resolve.advancePast(await profile.largestIdentity());
  const partition = await takePartition(db, log.logId, 0, "test");
  if (options.rebuild) await windows.rebuild(() => false);
  const inHistory = await profile.positionsInHistoryFrom(partition.partitionId, partition.positions);
  faults.armed = armed;
  const window = windows.open(log, 0, partition.positions);
  // What fails here is an outage, never an event.
  const healthy = async (): Promise<boolean> => false;
  const pipeline = createPipeline({
    partition, inHistory, db, window, resolve, profile, segment, activate, meters, logger: silentLog, isPoison, healthy, reached: () => undefined, holds: () => true,
  });
  return { window, resolve, profile, activate, partition, reader: window.reader, pipeline, app: await mountReads(profile.routes) };
}

const isPoison = (error: unknown): boolean =>
  isBadData(error) || isBadHistoryData(error) || error instanceof TypeError || error instanceof RangeError;

function createCounter(): Meters & { count(name: MeterName): number } {
  const counts = new Map<MeterName, number>();
  return {
    add: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
    gauge: () => undefined,
    count: (name) => counts.get(name) ?? 0,
  };
}

const directoryOf = (settingsOf: SettingsOf): Directory => ({
  ready: () => true,
  authenticate: () => undefined,
  tenant: (tenantId) => ({ tenantId, publicId: "tenant", name: "test", createdAt: 0, settings: settingsOf(tenantId) }),
  source: () => undefined,
  builtInSource: () => undefined,
  sources: () => [],
});

/** The reading routes, to be injected into: the header `tenant` says who asks. */
async function mountReads(routes: Routes[]): Promise<FastifyInstance> {
  const app = Fastify();
  app.decorateRequest("principal");
  app.addHook("onRequest", async (request) => {
    request.principal = { tenantId: Number(request.headers.tenant), kind: "api-key", admin: false };
  });
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, _request, reply) => reply.code(error instanceof ApiError ? error.status : 500).send({ error: String(error) }));
  for (const mount of routes) mount(app);
  await app.ready();
  return app;
}
