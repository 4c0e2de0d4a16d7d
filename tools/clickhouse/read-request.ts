import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** A request of ClickHouse's HTTP interface, taken apart. */
export interface Asked {
  /** The statement; of an insert whose rows are the body, all but these. */
  sql: string;
  /** Rows of an insert whose statement stands in the URL. */
  rows: Readable | undefined;
  params: Map<string, string>;
  settings: Map<string, string>;
  database: string;
  queryId: string | undefined;
  format: string;
  /** Wants nothing before everything is known. */
  whole: boolean;
  /** Wants its answer compressed. */
  compressed: boolean;
  user: string;
  password: string;
}

/** Parameters of a URL that are neither settings of the engine nor values of the statement. */
const ownNames = new Set([
  "query", "query_id", "database", "default_format", "user", "password", "session_id", "session_timeout", "session_check", "role", "quota_key", "compress", "decompress",
  "wait_end_of_query", "buffer_size", "enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms", "http_response_buffer_size",
  "cancel_http_readonly_queries_on_client_close", "add_http_cors_header", "http_zlib_compression_level", "log_queries",
]);

/** Reads all of a request but the rows of an insert. */
export async function readRequest(request: IncomingMessage): Promise<Asked> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const given = new Map(url.searchParams);
  const inUrl = given.get("query");
  const body = decompressed(request);
  const asked = { rows: undefined as Readable | undefined, sql: inUrl ?? "" };
  if (inUrl !== undefined && request.method === "POST" && /^\s*insert\b/i.test(inUrl)) asked.rows = body;
  else if (request.headers["content-type"]?.startsWith("multipart/form-data")) {
    for (const [name, value] of parts(await buffer(body), request.headers["content-type"])) given.set(name, value);
    asked.sql = given.get("query") ?? "";
  } else asked.sql = [inUrl, (await buffer(body)).toString()].filter(Boolean).join("\n");
  return {
    ...asked,
    ...loginOf(request, given),
    params: new Map([...given].flatMap(([name, value]) => (name.startsWith("param_") ? [[name.slice("param_".length), value]] : []))),
    settings: new Map([...given].filter(([name]) => !ownNames.has(name) && !name.startsWith("param_"))),
    database: given.get("database") ?? header(request, "x-clickhouse-database") ?? "default",
    queryId: given.get("query_id"),
    format: given.get("default_format") ?? header(request, "x-clickhouse-format") ?? "TabSeparated",
    whole: given.get("wait_end_of_query") === "1",
    compressed: given.get("enable_http_compression") === "1" && /\bgzip\b/.test(header(request, "accept-encoding") ?? ""),
  };
}

const header = (request: IncomingMessage, name: string): string | undefined => [request.headers[name]].flat()[0];

function loginOf(request: IncomingMessage, given: ReadonlyMap<string, string>): { user: string; password: string } {
  const [, basic] = /^basic (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
  const [, user = "", password = ""] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic ?? "", "base64").toString()) ?? [];
  return {
    user: header(request, "x-clickhouse-user") ?? given.get("user") ?? (user || "default"),
    password: header(request, "x-clickhouse-key") ?? given.get("password") ?? password,
  };
}

function decompressed(request: IncomingMessage): Readable {
  const unpack = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress }[header(request, "content-encoding") ?? ""];
  if (unpack === undefined) return request;
  const plain = unpack();
  request.on("error", (error) => plain.destroy(error)).on("aborted", () => plain.destroy(new Error("aborted")));
  return request.pipe(plain);
}

/** The fields of a form, values as they are. */
function parts(body: Buffer, contentType: string): [name: string, value: string][] {
  const [, boundary = ""] = /boundary=("?)([^";]+)\1/.exec(contentType)?.slice(1) ?? [];
  return body.toString().split(`--${boundary}`).flatMap((part): [string, string][] => {
    const [, name, value] = /^\r\n[^]*?\bname="([^"]*)"[^]*?\r\n\r\n([^]*)\r\n$/.exec(part) ?? [];
    return name === undefined ? [] : [[name, value ?? ""]];
  });
}
