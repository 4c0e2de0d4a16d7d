import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createGzip } from "node:zlib";
import type { Engine, Statement } from "./engine.ts";
import { type Asked, readRequest } from "./read-request.ts";
import { alone, fromFile, isRead, killedBy, ofReplicas } from "./statements.ts";

export interface Front {
  engine: Engine;
  /** Where the rows of inserts wait. */
  dir: string;
  user: string;
  password: string;
}

interface Running {
  kill: AbortController;
  ended: Promise<unknown>;
}

const statusOf: Record<string, number> = { "60": 404, "81": 404, "62": 400, "46": 404, "47": 404, "115": 404, "516": 403, "517": 409 };

/**
 * Answers the requests of ClickHouse's HTTP interface by an engine in this process. Three paths are for tests:
 * `/tests/delay?ms=…` makes inserts wait that long after their rows have come, `/tests/running` says which statements run, and
 * `/tests/as-is?query=…` runs a statement without what is left out for the one process that plays a cluster.
 */
export function createAnswerer(front: Front): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const running = new Map<string, Running>();
  let delayMs = 0;

  /** As `kill query … sync` does it: what has not begun to write is given up, and what has is waited for. */
  async function kill(isMeant: (queryId: string) => boolean): Promise<void> {
    const meant = [...running].filter(([queryId]) => isMeant(queryId)).map(([, one]) => one);
    for (const one of meant) one.kill.abort();
    await Promise.all(meant.map((one) => one.ended));
  }

  async function insert(asked: Asked, statement: Statement, signal: AbortSignal): Promise<void> {
    const file = join(front.dir, `${randomUUID()}.rows`);
    try {
      const out = createWriteStream(file, { flags: "wx" });
      await pipeline(asked.rows as Readable, out);
      if (delayMs > 0) await sleep(delayMs, undefined, { signal });
      signal.throwIfAborted();
      if (out.bytesWritten > 0) await front.engine.run({ ...statement, sql: fromFile(statement.sql, file) });
    } finally {
      await rm(file, { force: true });
    }
  }

  async function answer(asked: Asked, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const isMeant = killedBy(asked.sql);
    if (isMeant) await kill(isMeant);
    const settings = new Map([...asked.settings].filter(([name]) => !ofReplicas.has(name)));
    const statement = { ...asked, sql: alone(asked.sql), settings };
    if (isMeant) send(response, asked, Readable.from([]));
    else if (asked.rows) send(response, asked, Readable.from(await insert(asked, statement, signal).then(() => [])));
    else if (isRead(statement.sql) && !asked.whole) await sendStream(response, asked, front.engine.stream(statement));
    else send(response, asked, Readable.from([await front.engine.run(statement)]));
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readRequest(request);
    const queryId = asked.queryId ?? randomUUID();
    if (asked.user !== front.user || asked.password !== front.password) {
      throw new Error(`Code: 516. DB::Exception: ${asked.user}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)`);
    }
    if (running.has(queryId)) throw new Error(`Code: 216. DB::Exception: Query with id = ${queryId} is already running. (QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING)`);
    response.setHeader("X-ClickHouse-Query-Id", queryId);
    const controller = new AbortController();
    const work = answer(asked, response, controller.signal);
    running.set(queryId, { kill: controller, ended: work.catch(() => undefined) });
    await work.finally(() => running.delete(queryId));
  }

  return async function answerRequest(request, response) {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    try {
      if (pathname === "/ping") return void response.end("Ok.\n");
      if (pathname === "/tests/delay") return void response.end(String((delayMs = Number(searchParams.get("ms")))));
      if (pathname === "/tests/running") return void response.end(JSON.stringify([...running.keys()]));
      if (pathname === "/tests/as-is") return void response.end(await front.engine.run({ ...(await readRequest(request)), database: "default" }));
      await serve(request, response);
    } catch (error) {
      fail(response, error);
    }
  };
}

function send(response: ServerResponse, asked: Asked, body: Readable): void {
  response.setHeader("Content-Type", "text/plain; charset=UTF-8");
  response.setHeader("X-ClickHouse-Summary", '{"read_rows":"0","read_bytes":"0","written_rows":"0","written_bytes":"0","total_rows_to_read":"0","result_rows":"0","result_bytes":"0"}');
  const out = asked.compressed ? withGzip(response) : response;
  body.on("error", (error) => {
    // Too late for a status: as a server does it, the exception ends the body and the connection is cut.
    response.write(String(error));
    response.destroy();
  });
  body.pipe(out);
}

function withGzip(response: ServerResponse): Writable {
  response.setHeader("Content-Encoding", "gzip");
  const packed = createGzip();
  packed.pipe(response);
  return packed;
}

/** Waits for the first piece, so that what fails at once has a status of its own. */
async function sendStream(response: ServerResponse, asked: Asked, pieces: AsyncGenerator<Buffer>): Promise<void> {
  const first = await pieces.next();
  const ended = new Promise((resolve) => response.once("close", resolve));
  send(response, asked, Readable.from(all(first, pieces)));
  await ended;
}

async function* all(first: IteratorResult<Buffer>, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (!first.done && first.value.length > 0) yield first.value;
  yield* rest;
}

function fail(response: ServerResponse, error: unknown): void {
  const said = error instanceof Error ? error.message : String(error);
  const killed = error instanceof Error && error.name === "AbortError";
  const text = killed ? "Code: 394. DB::Exception: Query was cancelled. (QUERY_WAS_CANCELLED)" : said;
  const code = /Code: (\d+)\./.exec(text)?.[1] ?? "1002";
  if (response.headersSent) return void response.destroy();
  response.writeHead(statusOf[code] ?? 500, { "X-ClickHouse-Exception-Code": code, "Content-Type": "text/plain; charset=UTF-8" });
  response.end(/^Code: /.test(text) ? text : `Code: 1002. DB::Exception: ${text} (UNKNOWN_EXCEPTION)`);
}
