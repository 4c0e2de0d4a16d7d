import type { History } from "./history.ts";
import { openEmbedded } from "./open-embedded.ts";
import { openServer } from "./open-server.ts";
import { RowBuffer, rowChunks } from "./row-binary.ts";
import { watchInserts } from "./watch-inserts.ts";

export interface HistorySettings {
  /** Data directory of the embedded engine, or the URL of a server (credentials in it). */
  at: { path: string } | { url: string };
  /** Created when it does not exist. */
  database: string;
}

/** Opens the history database. One directory is open in one process at a time, and one per process: an engine's rule. */
export async function connectHistory({ at, database }: HistorySettings): Promise<History> {
  if (!/^[a-z_][a-z0-9_]*$/i.test(database)) throw new Error(`"${database}" is no database name`);
  const { reader, writer, insertRows, streamText } = "path" in at ? await openEmbedded(at.path, database) : await openServer(at.url, database);
  const inserts = await watchInserts(writer);
  const buffers: RowBuffer[] = [];
  return {
    async query<Row>(text: string, params?: Record<string, unknown>): Promise<Row[]> {
      return await inserts.query(async () => {
        const answer = await reader.query({ query: text, format: "JSONEachRow", ...(params && { query_params: params }) });
        return await answer.json<Row>();
      });
    },
    async insert(table, rows) {
      if (rows.length > 0) await inserts.insert(() => writer.insert({ table, values: rows, format: "JSONEachRow" }));
    },
    async insertBinary(table, columns, items, write) {
      if (items.length === 0) return;
      const buffer = buffers.pop() ?? new RowBuffer(chunkBytes * 2);
      try {
        await inserts.insert(() => insertRows(table, columns, rowChunks(buffer, items, write, chunkBytes), "RowBinary"));
      } finally {
        if (buffers.length < buffersMax) buffers.push(buffer);
      }
    },
    streamText,
    async insertText(table, columns, rows) {
      if (rows.length > 0) await inserts.insert(() => insertRows(table, columns, [Buffer.from(rows.buffer, rows.byteOffset, rows.length)], "TabSeparated"));
    },
    async command(text, params) {
      await writer.command({ query: text, ...(params && { query_params: params }) });
    },
    async check() {
      await reader.query({ query: "select 1", format: "JSONEachRow" }).then((answer) => answer.json());
      await inserts.check();
    },
    async close() {
      await Promise.all([...new Set([reader, writer])].map((client) => client.close()));
    },
  };
}

/** After so many bytes of rows others may run. */
const chunkBytes = 512_000;
/** Kept for the next insert: fresh memory costs as much as what is written into it. */
const buffersMax = 2;

/**
 * Codes that mean the rows were bad, not the server: cannot parse, type mismatch, value out of range, and kin.
 * The batch is then halved until the culprit is alone.
 */
const badDataCodes = new Set(["6", "25", "26", "27", "38", "41", "53", "69", "70", "72", "117", "131", "321", "349", "407", "440", "467", "691"]);

export const isBadHistoryData = (error: unknown): boolean =>
  error instanceof Error && "type" in error && "code" in error && typeof error.code === "string" && badDataCodes.has(error.code);
