import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { JsonObject } from "../../contracts/json.ts";
import { parseDurationMs } from "../../core/time.ts";
import { CommandError } from "./command-error.ts";
import { dryRun } from "./import/dry-run.ts";
import { importFile, type ImportRequest, type ImportResult } from "./import/import-file.ts";
import { applyMappingFlags } from "./import/mapping-flags.ts";
import { type Mapping, parseMapping } from "./import/mapping.ts";
import { formatOf, type RowFormat } from "./import/read-rows.ts";
import { createProgress, formatDuration } from "./import/show-progress.ts";
import { type Connection, readConnection, request, Unreachable } from "./server-connection.ts";

interface ImportFlags {
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

export function addImportCommand(program: Command): void {
  program
    .command("import")
    .description("import events from a CSV or NDJSON file")
    .argument("<file>", "CSV, TSV, NDJSON or JSONL, also .gz; - reads standard input")
    .option("--mapping <file>", "JSON file that says how a row becomes an event")
    .addOption(new Option("--set <path=value>", "one setting of the mapping, over the file's (repeatable)").argParser(append).default([], "none"))
    .option("--source <name>", "name of where the rows come from, over the mapping's")
    .addOption(new Option("--format <format>", "when the file name does not tell it").choices(["csv", "tsv", "ndjson"]))
    .option("--batch <rows>", "rows in a request", parseCount(1000), 500)
    .option("--concurrency <requests>", "requests at a time", parseCount(64), 4)
    .option("--rejects <file>", "where rejected rows go (default: FILE.rejects.ndjson)")
    .option("--state <file>", "where the progress is kept (default: FILE.import-state.json)")
    .option("--restart", "begin at the first row although an interrupted import could go on")
    .addOption(new Option("--give-up-after <duration>", "how long one batch may be refused or unanswered").argParser(parseDuration).default(30 * 60_000, "30m"))
    .option("--dry-run", "map the rows and show what would be sent; sends and writes nothing")
    .addHelpText("after", "\nExit code: 0 every row accepted, 2 some rows rejected, 1 failed, 130 interrupted.")
    .action(runImportCommand);
}

async function runImportCommand(file: string, flags: ImportFlags): Promise<void> {
  const importRequest = toRequest(file, flags);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  if (flags.dryRun) {
    const { rejected } = await dryRun(importRequest, stop.signal, print);
    process.exitCode = rejected > 0 ? someRejected : 0;
    return;
  }
  const connection = readConnection(process.env);
  await expectServer(connection);
  const startedAt = Date.now();
  try {
    const openProgress = (bytesTotal: number | undefined) => createProgress(process.stderr, bytesTotal, startedAt);
    const result = await importFile(importRequest, { connection, signal: stop.signal, openProgress, say: warn });
    summarise(importRequest, result, Date.now() - startedAt);
  } catch (error) {
    if (!stop.signal.aborted) throw new CommandError(`The import failed. ${(error as Error).message}`, error);
    warn("Interrupted.");
    process.exitCode = interrupted;
  }
}

function summarise({ rejectsPath }: ImportRequest, { state, rowsBefore }: ImportResult, elapsedMs: number): void {
  const rate = Math.round((state.rows - rowsBefore) / Math.max(0.001, elapsedMs / 1000));
  const before = rowsBefore > 0 ? ` (${rowsBefore} of them by an earlier run)` : "";
  print(`${state.rows} rows${before}: ${state.accepted} accepted, ${state.rejected} rejected, in ${formatDuration(elapsedMs / 1000)} (${rate} rows/s).`);
  if (state.rejected === 0) return;
  print(`Rejected rows with their reasons: ${rejectsPath}`);
  process.exitCode = someRejected;
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
  try {
    await request(connection, "GET", "/api/cdp/health", { timeoutMs: 10_000 });
  } catch (error) {
    if (error instanceof Unreachable) throw new CommandError(error.message, error);
    throw error;
  }
}

function parseCount(max: number): (text: string) => number {
  return function count(text) {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`expected a whole number from 1 to ${max}`);
  };
}

const append = (value: string, all: string[]): string[] => [...all, value];

function parseDuration(text: string): number {
  const value = parseDurationMs(text);
  if (value === undefined) throw new InvalidArgumentError("expected a duration such as 30s, 10m or 2h");
  return value;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const warn = (line: string): void => void process.stderr.write(`${line}\n`);
