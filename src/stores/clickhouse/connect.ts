import type { Connection } from "./connection.ts";
import { createDoubts, type Doubts } from "./doubts.ts";
import type { History } from "./history.ts";
import { openEmbedded } from "./open-embedded.ts";
import { openServer, type ServerPlace } from "./open-server.ts";
import { RowBuffer, rowChunks } from "./row-binary.ts";
import { type InsertWatch, watchInserts } from "./watch-inserts.ts";

export interface HistorySettings {
  /** Data directory of the embedded engine, or a server. */
  at: { path: string } | ServerPlace;
  /** Created when it does not exist. */
  database: string;
}

/** Opens the history database. One directory is open in one process at a time, and one per process: an engine's rule. */
export async function connectHistory({ at, database }: HistorySettings): Promise<History> {
  if (!/^[a-z_][a-z0-9_]*$/i.test(database)) throw new Error(`"${database}" is no database name`);
  const connection = "path" in at ? await openEmbedded(at.path, database) : await openServer(at, database);
  const { reader, writer } = connection;
  const close = async (): Promise<void> => {
    await Promise.all([...new Set([reader, writer])].map((client) => client.close()));
  };
  try {
    return { ...(await createHistory(connection, createDoubts(database, connection.kill))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createHistory(connection: Connection, doubts: Doubts): Promise<Omit<History, "close">> {
  const { reader, writer } = connection;
  const define = async (statement: string): Promise<void> => {
    for (const query of connection.define(statement)) await writer.command({ query });
  };
  const insertJson = (table: string, rows: object[]): Promise<void> => doubts.insert("rows", (id) => connection.insertJson(table, rows, { id, token: () => id }));
  const watch = await watchInserts({ define, insert: insertJson });
  return {
    async query<Row>(text: string, params?: Record<string, unknown>, { mayLag = false } = {}): Promise<Row[]> {
      return await watch.query(async () => {
        await doubts.clear();
        const settings = connection.settingsOf({ mayLag });
        const answer = await reader.query({ query: text, format: "JSONEachRow", ...(params && { query_params: params }), ...(settings && { clickhouse_settings: settings }) });
        return await answer.json<Row>();
      });
    },
    async insert(table, rows) {
      if (rows.length > 0) await watch.insert(() => insertJson(table, rows));
    },
    streamText: connection.streamText,
    async insertText(table, columns, rows) {
      if (rows.length === 0) return;
      const chunks = (): Buffer[] => [Buffer.from(rows.buffer, rows.byteOffset, rows.length)];
      await watch.insert(() => doubts.insert("rows", (id) => connection.insertRows(table, columns, chunks, "TabSeparated", { id, token: () => id })));
    },
    insertBinary: createInsertBinary(connection, doubts, watch),
    settle: (of) => doubts.settle(of),
    async deleteRows(table, condition, params) {
      await writer.command({ query: `${connection.deleteFrom(table)} where ${condition}`, query_params: params });
    },
    define,
    async command(text, params) {
      await writer.command({ query: text, ...(params && { query_params: params }) });
    },
    async check() {
      await reader.query({ query: "select 1", format: "JSONEachRow" }).then((answer) => answer.json());
      await watch.check();
    },
  };
}

/** After so many bytes of rows others may run. */
const chunkBytes = 512_000;
/** Kept for the next insert: fresh memory costs as much as what is written into it. */
const buffersMax = 2;

function createInsertBinary(connection: Connection, doubts: Doubts, watch: InsertWatch): History["insertBinary"] {
  const buffers: RowBuffer[] = [];
  return async function insertBinary(table, columns, items, write, origin) {
    if (items.length === 0) return;
    const buffer = buffers.pop() ?? new RowBuffer(chunkBytes * 2);
    const chunks = (): Iterable<Buffer> => rowChunks(buffer, items, write, chunkBytes);
    await watch.insert(() => doubts.insert(origin?.of ?? "rows", (id) => connection.insertRows(table, columns, chunks, "RowBinary", { id, token: origin?.token ?? (() => id) })));
    // Not after a failure: something might still read it.
    if (buffers.length < buffersMax) buffers.push(buffer);
  };
}

/**
 * Codes that mean the rows were bad, not the server: cannot parse, type mismatch, value out of range, and kin.
 * The batch is then halved until the culprit is alone.
 */
const badDataCodes = new Set(["6", "25", "26", "27", "38", "41", "53", "69", "70", "72", "117", "131", "321", "349", "407", "440", "467", "691"]);

export const isBadHistoryData = (error: unknown): boolean =>
  error instanceof Error && "type" in error && "code" in error && typeof error.code === "string" && badDataCodes.has(error.code);
