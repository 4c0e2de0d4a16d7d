import { mkdir, open, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { createClient, type ClickHouseClient, type ClickHouseClientConfigOptions, type ClickHouseSettings } from "@clickhouse/client";
import { createChdbConnection } from "chdb/connection";
import type { ColumnType, History } from "./history.ts";
import { RowBuffer, rowChunks } from "./row-binary.ts";
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
  const { client, insertRows } = "path" in at ? await openEmbedded(at.path, database) : await openServer(at.url, database);
  const inserts = await watchInserts(client);
  const buffers: RowBuffer[] = [];
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
    async insertBinary(table, columns, items, write) {
      if (items.length === 0) return;
      const buffer = buffers.pop() ?? new RowBuffer(chunkBytes * 2);
      try {
        await inserts.insert(() => insertRows(table, columns, rowChunks(buffer, items, write, chunkBytes)));
      } finally {
        if (buffers.length < buffersMax) buffers.push(buffer);
      }
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

/** After so many bytes of rows others may run. */
const chunkBytes = 512_000;
/** Kept for the next insert: fresh memory costs as much as what is written into it. */
const buffersMax = 2;

interface Opened {
  client: ClickHouseClient;
  /** A chunk may change when the next one is asked for. */
  insertRows(table: string, columns: readonly ColumnType[], chunks: Iterable<Buffer>): Promise<void>;
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
const namesOf = (columns: readonly ColumnType[]): string => columns.map(([name]) => name).join(", ");

/** Settings hold for the session: sent with each insert, the engine would parse the rows as statements (measured: twice the time). */
async function openEmbedded(path: string, database: string): Promise<Opened> {
  // The two packages carry their own copies of one and the same interface.
  const client = createClient({ connection: createChdbConnection({ path }) } as unknown as ClickHouseClientConfigOptions);
  await client.command({ query: `create database if not exists ${database}` });
  await client.command({ query: `use ${database}` });
  for (const [name, value] of Object.entries(querySettings)) await client.command({ query: `set ${name} = ${value}` });
  const files = resolve(path, "user_files");
  await rm(files, { recursive: true, force: true });
  await mkdir(files, { recursive: true });
  let inserts = 0;
  return {
    client,
    // By way of a file that is gone before it is on disk: the only way in for binary rows, which take the engine half the time of text.
    async insertRows(table, columns, chunks) {
      const file = join(files, `${++inserts}.rows`);
      try {
        await writeFile(file, chunks);
        const structure = columns.map(([name, type]) => `${name} ${type}`).join(", ");
        await client.command({
          query: `insert into ${table} (${namesOf(columns)}) select * from file(${quoted(file)}, RowBinary, ${quoted(structure)}) settings max_threads = 1`,
        });
      } finally {
        await rm(file, { force: true });
      }
    },
  };
}

async function writeFile(path: string, chunks: Iterable<Buffer>): Promise<void> {
  const file = await open(path, "wx");
  try {
    for (const chunk of chunks) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}

async function openServer(url: string, database: string): Promise<Opened> {
  const base = { url, request_timeout: 120_000, use_multipart_params_auto: true, compression: { request: true, response: true } };
  const opener = createClient(base);
  await opener.command({ query: `create database if not exists ${database}` });
  await opener.close();
  const client = createClient({ ...base, database, clickhouse_settings: querySettings });
  return {
    client,
    async insertRows(table, columns, chunks) {
      const copies = function* () {
        for (const chunk of chunks) yield Buffer.from(chunk);
      };
      const { stream } = await client.exec({
        query: `insert into ${table} (${namesOf(columns)}) format RowBinary`,
        values: Readable.from(copies(), { objectMode: false }),
      });
      stream.destroy();
    },
  };
}

/**
 * Codes that mean the rows were bad, not the server: cannot parse, type mismatch, value out of range, and kin.
 * The batch is then halved until the culprit is alone.
 */
const badDataCodes = new Set(["6", "25", "26", "27", "38", "41", "53", "69", "70", "72", "117", "131", "321", "349", "407", "440", "467", "691"]);

export const isBadHistoryData = (error: unknown): boolean =>
  error instanceof Error && "type" in error && "code" in error && typeof error.code === "string" && badDataCodes.has(error.code);
