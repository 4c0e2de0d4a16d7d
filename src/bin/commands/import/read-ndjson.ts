import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import type { JsonObject } from "../../../contracts/json.ts";
import { type FileRow, rowBytesMax } from "./file-row.ts";

const newline = 0x0a;

/** Rows of a file with one JSON object a line. Blank lines are passed over. */
export async function* readNdjsonRows(bytes: Readable): AsyncGenerator<FileRow> {
  let line = 0;
  for await (const text of splitLines(bytes)) {
    line++;
    const row = parseLine(text, line);
    if (row) yield row;
  }
}

function parseLine(bytes: Buffer | undefined, line: number): FileRow | undefined {
  if (!bytes) return refuse(line, "row_too_large", "the line is larger than 1 MiB", "");
  if (!isUtf8(bytes)) return refuse(line, "not_utf8", "the line holds bytes that are not UTF-8", bytes.toString("utf8"));
  const text = (line === 1 ? bytes.toString("utf8").replace(/^\uFEFF/, "") : bytes.toString("utf8")).trim();
  if (text === "") return undefined;
  try {
    const row = JSON.parse(text) as unknown;
    if (typeof row === "object" && row !== null && !Array.isArray(row)) return { line, row: row as JsonObject };
    return refuse(line, "invalid_type", "the line must hold one JSON object", text);
  } catch (error) {
    return refuse(line, "invalid_json", (error as Error).message, text);
  }
}

const refuse = (line: number, reason: string, message: string, raw: string): FileRow => ({
  line,
  error: { field: "", reason, message },
  raw: raw.slice(0, 1000),
});

/** Lines without their break; undefined stands for a line that is too long, whose bytes are thrown away as they come. */
async function* splitLines(bytes: Readable): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let size = 0;
  const take = (): Buffer | undefined => {
    const line = size > rowBytesMax ? undefined : Buffer.concat(parts);
    parts = [];
    size = 0;
    return line;
  };
  const add = (part: Buffer): void => {
    size += part.length;
    if (size <= rowBytesMax) parts.push(part);
    else parts = [];
  };
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (size > 0) yield take();
}
