import { createReadStream, statSync } from "node:fs";
import { pipeline, type Readable, type Transform } from "node:stream";
import { createGunzip } from "node:zlib";
import type { FileRow } from "./file-row.ts";
import { createCsvParser, readCsvRows } from "./read-csv.ts";
import { readNdjsonRows } from "./read-ndjson.ts";

export type RowFormat = "csv" | "tsv" | "ndjson";

export interface RowInput {
  rows: AsyncIterable<FileRow>;
  /** Bytes of the file, before unpacking; undefined for standard input. */
  bytesTotal: number | undefined;
  bytesRead(): number;
}

/** The format that a file's name tells, `.gz` aside, or undefined. */
export function formatOf(file: string): RowFormat | undefined {
  const extension = /\.(csv|tsv|ndjson|jsonl)(\.gz)?$/i.exec(file)?.[1]?.toLowerCase();
  return extension === "jsonl" ? "ndjson" : (extension as RowFormat | undefined);
}

/**
 * Streams the rows of a file, unpacking `.gz`; `-` is standard input. Reads no faster than the rows are taken.
 * `checkHeader` is handed a CSV file's column names before the first row and may throw.
 */
export function openRows(file: string, format: RowFormat, checkHeader: (columns: string[]) => void, signal: AbortSignal): RowInput {
  const bytesTotal = file === "-" ? undefined : statSync(file).size;
  const bytes = file === "-" ? process.stdin : createReadStream(file);
  const stages: Transform[] = /\.gz$/i.test(file) ? [createGunzip()] : [];
  if (format !== "ndjson") stages.push(createCsvParser(format === "tsv" ? "\t" : ","));
  const last = connect(bytes, stages, signal);
  const rows = format === "ndjson" ? readNdjsonRows(last) : readCsvRows(last, checkHeader);
  return { rows, bytesTotal, bytesRead: () => bytes.bytesRead };
}

/** Errors of any stage, and the abort, reach whoever iterates over the last one. */
function connect(bytes: Readable, stages: Transform[], signal: AbortSignal): Readable {
  signal.throwIfAborted();
  const last = stages.at(-1);
  const end = last ?? bytes;
  signal.addEventListener("abort", () => end.destroy(signal.reason as Error), { once: true });
  if (last) pipeline([bytes, ...stages], () => undefined);
  return end;
}
