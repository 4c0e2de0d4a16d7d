import { Readable } from "node:stream";
import { createClient, type ClickHouseClient, type ClickHouseClientConfigOptions, type ClickHouseSettings } from "@clickhouse/client";
import { createChdbConnection } from "chdb/connection";
import type { History } from "./history.ts";
import { watchInserts } from "./watch-inserts.ts";

export interface HistorySettings {
  /** Data directory of the embedded engine, or the URL of a server (credentials in it). */
  at: { path: string } | { url: string };
  /** Created when it does not exist. */
  database: string;
}

/** The same for every query: bounded memory and threads, exact numbers, inserts that are durable when answered. */
const querySettings: ClickHouseSettings = {
  async_insert: 0,
  insert_deduplicate: 0,
  input_format_parallel_parsing: 0,
  input_format_json_throw_on_bad_escape_sequence: 0,
  max_partitions_per_insert_block: "0",
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_decimals: 1,
  max_memory_usage: "1000000000",
  max_bytes_before_external_group_by: "300000000",
  max_bytes_before_external_sort: "300000000",
  max_threads: 2,
  max_insert_threads: "1",
  join_use_nulls: 0,
  prefer_column_name_to_alias: 1,
};

/** Opens the history database. One directory is open in one process at a time, and one per process: an engine's rule. */
export async function connectHistory({ at, database }: HistorySettings): Promise<History> {
  if (!/^[a-z_][a-z0-9_]*$/i.test(database)) throw new Error(`"${database}" is no database name`);
  const { client, insertTsv } = "path" in at ? await openEmbedded(at.path, database) : await openServer(at.url, database);
  const inserts = await watchInserts(client);
  return {
    async query<Row>(text: string, params?: Record<string, unknown>): Promise<Row[]> {
      return await inserts.query(async () => {
        const answer = await client.query({ query: text, format: "JSONEachRow", ...(params && { query_params: params }) });
        return await answer.json<Row>();
      });
    },
    async insert(table, rows) {
      if (rows.length > 0) await inserts.insert(() => client.insert({ table, values: rows, format: "JSONEachRow" }));
    },
    async insertLines(table, columns, lines) {
      if (lines.length > 0) await inserts.insert(() => insertTsv(table, columns, lines));
    },
    async command(text, params) {
      await client.command({ query: text, ...(params && { query_params: params }) });
    },
    async check() {
      await client.query({ query: "select 1", format: "JSONEachRow" }).then((answer) => answer.json());
      await inserts.check();
    },
    close: () => client.close(),
  };
}

interface Opened {
  client: ClickHouseClient;
  insertTsv(table: string, columns: readonly string[], values: Buffer): Promise<unknown>;
}

/** Settings hold for the session: sent with each insert, the engine would parse the rows as statements (measured: twice the time). */
async function openEmbedded(path: string, database: string): Promise<Opened> {
  const connection = createChdbConnection({ path });
  // The two packages carry their own copies of one and the same interface.
  const client = createClient({ connection } as unknown as ClickHouseClientConfigOptions);
  await client.command({ query: `create database if not exists ${database}` });
  await client.command({ query: `use ${database}` });
  for (const [name, value] of Object.entries(querySettings)) await client.command({ query: `set ${name} = ${value}` });
  return {
    client,
    // Past the client, which would make one statement of the query and the rows, in memory, three times over.
    insertTsv: (table, columns, values) => connection.chdb.rawInsert({ table, columns: [...columns], values, format: "TSV" }),
  };
}

async function openServer(url: string, database: string): Promise<Opened> {
  const base = { url, request_timeout: 120_000, use_multipart_params_auto: true, compression: { request: true, response: true } };
  const opener = createClient(base);
  await opener.command({ query: `create database if not exists ${database}` });
  await opener.close();
  const client = createClient({ ...base, database, clickhouse_settings: querySettings });
  return {
    client,
    insertTsv: (table, columns, values) =>
      client.insert({ table, columns: [columns[0] ?? "", ...columns.slice(1)], values: Readable.from([values], { objectMode: false }), format: "TabSeparated" }),
  };
}

/**
 * Codes that mean the rows were bad, not the server: cannot parse, type mismatch, value out of range, and kin.
 * The batch is then halved until the culprit is alone.
 */
const badDataCodes = new Set(["6", "25", "26", "27", "38", "41", "53", "69", "70", "72", "117", "131", "321", "349", "407", "440", "467", "691"]);

export const isBadHistoryData = (error: unknown): boolean =>
  error instanceof Error && "type" in error && "code" in error && typeof error.code === "string" && badDataCodes.has(error.code);
