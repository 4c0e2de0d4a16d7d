import { Readable } from "node:stream";
import { createClient } from "@clickhouse/client";
import { type Connection, namesOf, querySettings } from "./connection.ts";

/** A ClickHouse server, by its URL, credentials included. */
export async function openServer(url: string, database: string): Promise<Connection> {
  const base = { url, request_timeout: 120_000, use_multipart_params_auto: true, compression: { request: true, response: true } };
  const opener = createClient(base);
  await opener.command({ query: `create database if not exists ${database}` });
  await opener.close();
  const client = createClient({ ...base, database, clickhouse_settings: querySettings });
  return {
    reader: client,
    writer: client,
    async insertRows(table, columns, chunks, format) {
      const copies = function* (): Generator<Buffer> {
        for (const chunk of chunks) yield Buffer.from(chunk);
      };
      const { stream } = await client.exec({
        query: `insert into ${table} (${namesOf(columns)}) format ${format}`,
        values: Readable.from(copies(), { objectMode: false }),
      });
      stream.destroy();
    },
    async *streamText(text, params) {
      const { stream } = await client.exec({ query: `${text} format TabSeparated`, decompress_response_stream: true, ...(params && { query_params: params }) });
      yield* stream as AsyncIterable<Buffer>;
    },
  };
}
