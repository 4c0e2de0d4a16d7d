import { connectHistory } from "../../stores/clickhouse/connect.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import type { Db } from "../../stores/postgres/db.ts";
import { connectPostgres } from "../../stores/postgres/pool.ts";
import { databaseOf, until } from "../server-process.ts";
import type { Finding } from "./read-trace.ts";

const rounds = 3;
const historyTables = ["events", "events_held", "identity_profile"];

async function withState<T>(dataDir: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = connectPostgres(databaseOf(dataDir));
  return await work(db).finally(() => db.close());
}

async function withHistory<T>(path: string, work: (history: History) => Promise<T>): Promise<T> {
  const history = await connectHistory({ at: { path }, database: "tributary" });
  return await work(history).finally(() => history.close());
}

const asFinding = (complaints: readonly (string | undefined)[]): Finding =>
  ({ judged: complaints.length, violations: complaints.filter((one) => one !== undefined) });

/** The settings that make a commit durable, as the running server has them. */
export const checkStateSettings = (dataDir: string): Promise<Finding> => withState(dataDir, async (db) => {
  const names = ["fsync", "synchronous_commit", "full_page_writes"];
  const rows = await db.query<{ name: string; setting: string }>("select name, setting from pg_settings where name = any($1::text[])", [names]);
  return asFinding(names.map((name) => (rows.find((row) => row.name === name)?.setting === "on" ? undefined : `${name} is not on`)));
});

/** Lets events be processed, round by round, and looks each time whether the write-ahead log was flushed. */
export const countWalFlushes = (dataDir: string, process: (round: string) => Promise<void>): Promise<Finding> => withState(dataDir, async (db) => {
  const read = async (): Promise<number> =>
    (await db.query<{ n: number }>("select sum(fsyncs)::int n from pg_stat_io where object = 'wal' and backend_type = 'client backend'"))[0]?.n ?? 0;
  const complaints: (string | undefined)[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = await read();
    await process(`counted-${round}`);
    // A backend publishes its counters a second after its work.
    const moved = await until("the counter moves", async () => (await read()) > before, 10_000).then(() => true, () => false);
    complaints.push(moved ? undefined : "events were processed and nothing was flushed");
  }
  return asFinding(complaints);
});

/** The settings that make an insert durable, as the tables have them. The server must be stopped: one process at a time. */
export const checkHistorySettings = (path: string): Promise<Finding> => withHistory(path, async (history) => {
  const rows = await history.query<{ name: string; engine: string }>("select name, engine_full engine from system.tables where database = currentDatabase()");
  return asFinding(historyTables.flatMap((table) => ["fsync_after_insert = 1", "fsync_part_directory = 1"].map((setting) =>
    (rows.find(({ name }) => name === table)?.engine.includes(setting) ? undefined : `${table} has not ${setting}`))));
});

/** Inserts a row into each table and looks whether files and directories were flushed for it. */
export const countInsertFlushes = (path: string): Promise<Finding> => withHistory(path, async (history) => {
  const names = ["FileSync", "DirectorySync"];
  const read = async (): Promise<number[]> => {
    const rows = await history.query<{ event: string; value: number }>("select event, value from system.events where event in {names:Array(String)}", { names });
    return names.map((name) => rows.find(({ event }) => event === name)?.value ?? 0);
  };
  const complaints: (string | undefined)[] = [];
  for (const table of historyTables) {
    const before = await read();
    await history.insert(table, [{ tenant: 4_000_000_000 }]);
    const after = await read();
    for (const [i, name] of names.entries()) {
      complaints.push((after[i] ?? 0) > (before[i] ?? 0) ? undefined : `an insert into ${table} did not move ${name}`);
    }
  }
  return asFinding(complaints);
});
