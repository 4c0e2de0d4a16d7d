import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { JsonObject } from "../../contracts/json.ts";
import { CommandError } from "./command-error.ts";
import { dryRun } from "./import/dry-run.ts";
import { importFile, type ImportRequest, type ImportResult } from "./import/import-file.ts";
import { applyMappingFlags } from "./import/mapping-flags.ts";
import { type Mapping, parseMapping } from "./import/mapping.ts";
import { formatOf, type RowFormat } from "./import/read-rows.ts";
import { createProgress, formatDuration } from "./import/show-progress.ts";
import { type Connection, readConnection, request } from "./server-connection.ts";

/** What the command line gives, checked by commander. */
export interface ImportFlags {
  mapping?: string;
  set: string[];
  source?: string;
  format?: RowFormat;
  batch: number;
  concurrency: number;
  rejects?: string;
  state?: string;
  restart?: boolean;
  giveUpAfter: number;
  dryRun?: boolean;
}

/** Exit code when the import went through but some rows were rejected. */
const someRejected = 2;
const interrupted = 130;

/** Imports, or only maps, as the flags say; sets the exit code. Throws a `CommandError` when it fails. */
export async function runImportCommand(file: string, flags: ImportFlags): Promise<void> {
  const importRequest = toRequest(file, flags);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  try {
    const rejected = flags.dryRun ? (await dryRun(importRequest, stop.signal, print)).rejected : await sendFile(importRequest, stop.signal);
    process.exitCode = rejected > 0 ? someRejected : 0;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (!stop.signal.aborted) throw new CommandError(`The import failed: ${(error as Error).message}`, error);
    warn("Interrupted.");
    process.exitCode = interrupted;
  }
}

async function sendFile(importRequest: ImportRequest, signal: AbortSignal): Promise<number> {
  const connection = readConnection(process.env);
  await expectServer(connection);
  const startedAt = Date.now();
  const openProgress = (bytesTotal: number | undefined) => createProgress(process.stderr, bytesTotal, startedAt);
  const result = await importFile(importRequest, { connection, signal, openProgress, say: warn });
  summarise(importRequest, result, Date.now() - startedAt);
  return result.state.rejected;
}

function summarise({ rejectsPath }: ImportRequest, { state, rowsBefore }: ImportResult, elapsedMs: number): void {
  const rate = Math.round((state.rows - rowsBefore) / Math.max(0.001, elapsedMs / 1000));
  const before = rowsBefore > 0 ? ` (${rowsBefore} of them by an earlier run)` : "";
  print(`${state.rows} rows${before}: ${state.accepted} accepted, ${state.rejected} rejected, in ${formatDuration(elapsedMs / 1000)} (${rate} rows/s).`);
  if (state.rejected > 0) print(`Rejected rows with their reasons: ${rejectsPath}`);
}

function toRequest(file: string, flags: ImportFlags): ImportRequest {
  const format = flags.format ?? formatOf(file);
  if (!format) throw new CommandError(`What ${file === "-" ? "standard input" : file} holds is not to be seen from its name: give --format csv, tsv or ndjson.`);
  if (file !== "-" && !statSync(file, { throwIfNoEntry: false })?.isFile()) throw new CommandError(`${file} is no file (standard input is -).`);
  const name = file === "-" ? "stdin" : file;
  const rejectsPath = flags.rejects ?? `${name}.rejects.ndjson`;
  const statePath = file === "-" ? undefined : (flags.state ?? `${name}.import-state.json`);
  const written = [rejectsPath, ...(statePath === undefined ? [] : [statePath])].map((path) => resolve(path));
  const read = [file, ...(flags.mapping ? [flags.mapping] : [])].map((path) => resolve(path));
  if (new Set([...written, ...read]).size < written.length + read.length) throw new CommandError("FILE, --mapping, --rejects and --state must be different files.");
  return {
    file,
    format,
    mapping: readMapping(flags),
    batchRows: flags.batch,
    concurrency: flags.concurrency,
    rejectsPath,
    statePath,
    restart: flags.restart ?? false,
    giveUpAfterMs: flags.giveUpAfter,
  };
}

function readMapping(flags: ImportFlags): Mapping {
  if (!flags.mapping && flags.set.length === 0) throw new CommandError("How rows become events is missing: give --mapping FILE or --set PATH=VALUE.");
  const base = flags.mapping ? readJsonObject(flags.mapping) : {};
  const settings = applyMappingFlags(base, flags.set);
  const parsed = parseMapping(flags.source === undefined ? settings : { ...settings, source: flags.source });
  if ("mapping" in parsed) return parsed.mapping;
  throw new CommandError([`The mapping${flags.mapping ? ` ${flags.mapping}` : ""} is not valid:`, ...parsed.problems].join("\n  "));
}

function readJsonObject(path: string): JsonObject {
  try {
    const json = JSON.parse(readFileSync(path, "utf8")) as unknown;
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as JsonObject;
  } catch (error) {
    throw new CommandError(`The mapping ${path} cannot be read: ${(error as Error).message}`, error);
  }
  throw new CommandError(`The mapping ${path} must be a JSON object.`);
}

/** Someone who forgot to start the server should not wait half an hour; a server that is starting does answer. */
async function expectServer(connection: Connection): Promise<void> {
  await request(connection, "GET", "/api/cdp/health", { timeoutMs: 10_000 });
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const warn = (line: string): void => void process.stderr.write(`${line}\n`);
