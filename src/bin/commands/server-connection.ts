import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "./command-error.ts";

/** The server that a command speaks to, and the API key it shows. */
export interface Connection {
  url: string;
  apiKey: string;
}

export interface Answer {
  status: number;
  /** Parsed JSON, or undefined when the answer is none. */
  body: unknown;
  /** What `Retry-After` asks for. */
  retryAfterMs: number | undefined;
}

/** Nothing answered: no connection, a broken one, or a time-out. */
export class Unreachable extends CommandError {}

/** `TRIBUTARY_URL` and `TRIBUTARY_API_KEY`; without a key the one that `start` left in the data directory. */
export function readConnection(env: NodeJS.ProcessEnv): Connection {
  const url = (env["TRIBUTARY_URL"] || "http://127.0.0.1:3001").replace(/\/+$/, "");
  if (!URL.canParse(url)) throw new CommandError(`TRIBUTARY_URL is no URL: ${url}`);
  const apiKey = env["TRIBUTARY_API_KEY"] || readKeyFile(join(env["DATA_DIR"] || "./data", "admin-key"));
  if (!apiKey) throw new CommandError("No API key: set TRIBUTARY_API_KEY, or run this where the server's data directory is (DATA_DIR).");
  return { url, apiKey };
}

function readKeyFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** One request. Throws `Unreachable` when nothing answers within `timeoutMs`, and the signal's reason when that aborts. */
export async function request(
  { url, apiKey }: Connection,
  method: "GET" | "POST",
  path: string,
  { body, signal, timeoutMs = 120_000 }: { body?: string; signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, body: parseBody(text), retryAfterMs: readRetryAfter(response.headers.get("retry-after")) };
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(url, error);
  }
}

function unreachable(url: string, error: unknown): Unreachable {
  const cause = (error as Error).cause as { code?: string } | undefined;
  return new Unreachable(`No answer from ${url} (${cause?.code ?? (error as Error).message}). Is the server running? Start it with \`tributary start\`.`, error);
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

interface ErrorBody {
  error?: { code?: string; message?: string; details?: { field?: string; message?: string }[] };
}

/** A sentence for an answer that is no success, with what can be done about it. */
export function explainRefusal({ url }: Connection, { status, body }: Answer): string {
  const error = (body as ErrorBody | undefined)?.error;
  const details = (error?.details ?? []).map(({ field, message }) => `${field ?? "?"}: ${message ?? "?"}`).join("; ");
  const said = error ? ` ${error.code ?? ""}: ${error.message ?? ""}${details ? ` (${details})` : ""}` : "";
  const advice: Record<number, string> = {
    401: " The API key is not known there: check TRIBUTARY_API_KEY.",
    403: " The API key may not do this.",
    404: error ? "" : " Is TRIBUTARY_URL the address of a Tributary server?",
  };
  return `${url} answered ${status}.${said}${advice[status] ?? ""}`;
}

/** Sends a command's request and gives back `data` of the answer. Throws a `CommandError` when it is refused. */
export async function requestData(connection: Connection, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await request(connection, "POST", path, { body: JSON.stringify(body) });
  if (answer.status < 200 || answer.status > 299) throw new CommandError(explainRefusal(connection, answer));
  return ((answer.body as { data?: Record<string, unknown> } | undefined)?.data ?? {}) as Record<string, unknown>;
}

/** Sends a command's request and gives back the answer's bytes as they come. Throws a `CommandError` when it is refused. */
export async function requestStream({ url, apiKey }: Connection, path: string, body: object, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body), signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw unreachable(url, error);
  });
  if (response.ok && response.body) return response.body;
  throw new CommandError(explainRefusal({ url, apiKey }, { status: response.status, body: parseBody(await response.text()), retryAfterMs: undefined }));
}
