import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import type { Logger } from "../contracts/logger.ts";
import { describeError } from "../core/describe-error.ts";
import { connectHistory, type HistorySettings } from "../stores/clickhouse/connect.ts";
import { flushDirectories } from "../stores/clickhouse/flush-directories.ts";
import type { History } from "../stores/clickhouse/history.ts";
import { isHistoryAway } from "../stores/clickhouse/is-away.ts";
import type { LateHistory } from "../stores/clickhouse/late-history.ts";
import { migrateHistory } from "../stores/clickhouse/migrate.ts";
import type { ServerPlace } from "../stores/clickhouse/open-server.ts";
import { startEmbeddedPostgres } from "../stores/postgres/embedded.ts";
import type { LateDb } from "../stores/postgres/late-db.ts";
import { listenPostgres } from "../stores/postgres/listen.ts";
import { migratePostgres } from "../stores/postgres/migrate.ts";
import { connectPostgres } from "../stores/postgres/pool.ts";
import { preferReplica } from "../stores/postgres/read-replica.ts";
import { isOutage } from "../stores/postgres/sqlstates.ts";
import type { ClickhouseSettings } from "./clickhouse-settings.ts";
import type { Settings } from "./settings.ts";

export const migrations = new URL("../../migrations/", import.meta.url);
const retryMs = 2000;
const embeddedDatabase = "tributary";

type StoreSettings = Pick<Settings, "dataDir" | "databaseUrl" | "databaseReadUrl" | "databasePoolMax" | "clickhouse">;

interface Opening {
  settings: StoreSettings;
  log: Logger;
  /** Gives up waiting for a database that does not answer. */
  signal: AbortSignal;
  /** The version of the schema to stop at; the newest when absent. */
  schema?: number;
}

export interface OpenState {
  /** Calls back for every notice on a channel, and whenever some may have been missed; until the function it returns is called. */
  listen(channel: string, onNotice: () => void): () => Promise<void>;
  close(): Promise<void>;
}

/** Opens PostgreSQL, embedded unless DATABASE_URL names one, migrates it, and its replica where there is one. */
export async function openState({ settings, log, signal, schema }: Opening, db: LateDb, readDb: LateDb): Promise<OpenState> {
  const embedded = settings.databaseUrl === undefined ? await startEmbeddedPostgres({ dir: join(settings.dataDir, "postgres"), log }) : undefined;
  const place = embedded?.settings ?? { url: settings.databaseUrl as string, poolMax: settings.databasePoolMax };
  const real = connectPostgres(place);
  const { databaseReadUrl: url } = settings;
  const replica = url === undefined ? undefined : connectPostgres({ url, poolMax: settings.databasePoolMax, applicationName: "tributary-reads" });
  const close = async (): Promise<void> => {
    await replica?.close();
    await real.close();
    await embedded?.stop();
  };
  try {
    await untilReachable("PostgreSQL", () => migratePostgres(real, new URL("postgres/", migrations), schema), isOutage, log, signal);
  } catch (error) {
    await close();
    throw error;
  }
  db.open(real);
  readDb.open(replica ? { ...real, ...preferReplica(replica, real, Date.now) } : real);
  return { close, listen: (channel, onNotice) => listenPostgres(place, channel, onNotice) };
}

/** Opens ClickHouse, in process unless CLICKHOUSE_URL names a server, and migrates it. */
export async function openHistory({ settings, log, signal, schema }: Opening, history: LateHistory): Promise<() => Promise<void>> {
  const real = settings.clickhouse === undefined ? await openEmbeddedHistory(join(settings.dataDir, "history"), schema) : await openServedHistory(settings.clickhouse, schema, log, signal);
  history.open(real);
  return () => real.close();
}

async function openEmbeddedHistory(path: string, schema: number | undefined): Promise<History> {
  const history = await connectMigrated({ at: { path }, database: embeddedDatabase }, schema);
  return await flushDirectories(history, path, embeddedDatabase);
}

async function openServedHistory(settings: ClickhouseSettings, schema: number | undefined, log: Logger, signal: AbortSignal): Promise<History> {
  const place = await placeOf(settings);
  return await untilReachable("ClickHouse", () => connectMigrated(place, schema), isHistoryAway, log, signal);
}

/** Where the settings say that history is. */
export async function placeOf({ url, database, user, password, caFile, cluster }: ClickhouseSettings): Promise<HistorySettings> {
  const at: ServerPlace = {
    url, ...(user !== undefined && { user }), ...(password !== undefined && { password }), ...(cluster && { cluster }),
    ...(caFile !== undefined && { ca: await readFile(caFile, "utf8") }),
  };
  return { at, database };
}

async function connectMigrated(place: HistorySettings, schema: number | undefined): Promise<History> {
  const history = await connectHistory(place);
  try {
    await migrateHistory(history, new URL("clickhouse/", migrations), schema);
    return history;
  } catch (error) {
    await history.close();
    throw error;
  }
}

/** An external database may come up after us; what is wrong with it otherwise ends the start. */
async function untilReachable<T>(name: string, work: () => Promise<T>, mayPass: (error: unknown) => boolean, log: Logger, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error) || signal.aborted) throw error;
      log.warn({ error: describeError(error) }, `${name} does not answer yet`);
      await sleep(retryMs, undefined, { signal });
    }
  }
}
