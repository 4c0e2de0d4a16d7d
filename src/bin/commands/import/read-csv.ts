import type { Readable, Transform } from "node:stream";
import { type CsvError, parse } from "csv-parse";
import { type FileRow, rowBytesMax } from "./file-row.ts";

interface ParsedRecord {
  record: string[];
  info: { lines: number };
}

interface SkippedRecord {
  skipped: CsvError;
}

const endless = new Set(["CSV_MAX_RECORD_SIZE", "CSV_QUOTE_NOT_CLOSED"]);

/**
 * Parses RFC 4180 with a header; emits records and, in their place, what could not be read as one. A quote where none may
 * stand is taken literally, because a parser that goes on inside the quotes would swallow the rows that follow.
 */
export function createCsvParser(delimiter: string): Transform {
  const parser: Transform = parse({
    delimiter,
    bom: true,
    info: true,
    relax_quotes: true,
    skip_empty_lines: true,
    record_delimiter: ["\r\n", "\n"],
    max_record_size: rowBytesMax,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error) parser.push({ skipped: error } satisfies SkippedRecord);
      return undefined;
    },
  });
  return parser;
}

/** Rows of a CSV file as objects by column. Empty cells are left out. */
export async function* readCsvRows(records: Readable, checkHeader: (columns: string[]) => void): AsyncGenerator<FileRow> {
  let columns: string[] | undefined;
  let quotedBreaks = 0;
  let line = 0;
  for await (const item of records as AsyncIterable<ParsedRecord | SkippedRecord>) {
    if ("skipped" in item) {
      const { code, message } = item.skipped;
      // Rows may have been swallowed, and nobody can say how many: going on would lose them without a trace.
      if (endless.has(code)) throw new Error(`A row after line ${line} opens a quote that is not closed within 1 MiB.`);
      if (!columns) throw new Error(`The header cannot be read: ${message}`);
      line = Number(item.skipped["lines"]);
      yield { line, error: { field: "", reason: "invalid_csv", message }, raw: (item.skipped["record"] as string[] | undefined) ?? "" };
      continue;
    }
    if (!columns) {
      columns = item.record.map((name) => name.trim());
      checkHeader(columns);
      line = item.info.lines;
      continue;
    }
    const { newlines, counted } = countBreaks(item.record);
    quotedBreaks += counted - newlines;
    line = item.info.lines - newlines - quotedBreaks;
    yield toRow(columns, item.record, line);
  }
  if (!columns) checkHeader([]);
}

function toRow(columns: string[], cells: string[], line: number): FileRow {
  if (cells.some((cell) => cell.includes("\uFFFD"))) {
    const error = { field: "", reason: "not_utf8", message: "the row holds bytes that are not UTF-8 (or a replacement character U+FFFD)" };
    return { line, error, raw: cells };
  }
  const entries: [string, string][] = [];
  for (let i = 0; i < columns.length; i++) {
    const cell = cells[i];
    if (cell) entries.push([columns[i] as string, cell]);
  }
  // fromEntries, because assigning to a column called `__proto__` would not make a field.
  return { line, row: Object.fromEntries(entries) };
}

/** The parser counts a CR LF inside quotes as two lines; `counted` is its number, `newlines` the true one. */
function countBreaks(cells: string[]): { newlines: number; counted: number } {
  let newlines = 0;
  let counted = 0;
  for (const cell of cells) {
    if (!cell.includes("\n")) continue;
    newlines += cell.split("\n").length - 1;
    counted += cell.split(/[\r\n]/).length - 1;
  }
  return { newlines, counted };
}
