import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import type { FileRow } from "./file-row.ts";
import { formatOf, openRows } from "./read-rows.ts";

const directory = mkdtempSync(join(tmpdir(), "rows-"));
afterAll(() => rmSync(directory, { recursive: true }));

async function readAll(name: string, content: string | Buffer): Promise<FileRow[]> {
  const file = join(directory, name);
  writeFileSync(file, content);
  const rows: FileRow[] = [];
  for await (const row of openRows(file, formatOf(name) ?? "csv", () => undefined, new AbortController().signal).rows) rows.push(row);
  return rows;
}

const failed = (line: number, reason: string) => expect.objectContaining({ line, error: expect.objectContaining({ reason }) });

test.each([
  ["a.csv", "csv"], ["a.CSV.gz", "csv"], ["a.tsv", "tsv"], ["a.ndjson", "ndjson"], ["a.jsonl.gz", "ndjson"], ["a.txt", undefined], ["-", undefined],
] as const)("the format of %s is %s", (file, format) => {
  expect(formatOf(file)).toBe(format);
});

test.each([
  ["CRLF and a byte order mark", "\uFEFFa,b\r\n1,2\r\n", [{ line: 2, row: { a: "1", b: "2" } }]],
  ["no line end at the end", "a,b\n1,2", [{ line: 2, row: { a: "1", b: "2" } }]],
  ["LF in the header and CRLF in the rows", "a,b\n1,2\r\n", [{ line: 2, row: { a: "1", b: "2" } }]],
  ["empty cells are absent", "a,b\n,2\n", [{ line: 2, row: { b: "2" } }]],
  ["blanks around column names", "a , b\n1,2\n", [{ line: 2, row: { a: "1", b: "2" } }]],
  ["quotes, commas and breaks in cells", 'a,b\n"x,""y""","1\r\n2\n3"\n\n4,5\n', [{ line: 2, row: { a: 'x,"y"', b: "1\r\n2\n3" } }, { line: 6, row: { a: "4", b: "5" } }]],
  ["a column called __proto__", "__proto__,b\nx,2\n", [{ line: 2, row: JSON.parse('{"__proto__":"x","b":"2"}') as object }]],
  ["quotes that do not enclose a cell, literally", 'a,b\n"1"x,5" disk\n3,4\n', [{ line: 2, row: { a: '"1"x', b: '5" disk' } }, { line: 3, row: { a: "3", b: "4" } }]],
  ["a header alone", "a,b\n", []],
])("CSV: %s", async (_, content, rows) => {
  expect(await readAll("file.csv", content)).toEqual(rows);
});

test.each([
  ["a cell too few", "a,b\n1\n3,4\n", "invalid_csv"],
  ["a cell too many", "a,b\n1,2,3\n3,4\n", "invalid_csv"],
  ["a comma between quotes that do not belong together", 'a,b\n"1 "x, y" z",2\n3,4\n', "invalid_csv"],
  ["bytes that are not UTF-8", Buffer.from("a,b\n1,M\xFCller\n3,4\n", "latin1"), "not_utf8"],
])("CSV: %s costs its own row only", async (_, content, reason) => {
  expect(await readAll("bad.csv", content)).toEqual([failed(2, reason), { line: 3, row: { a: "3", b: "4" } }]);
});

test.each([
  ["the end of the file", `a,b\n1,2\n3,"4\n5,6\n`],
  ["1 MiB", `a,b\n1,2\n3,"${"x\n".repeat(600_000)}"\n`],
])("CSV: a quote that is still open at %s is an error that names its place", async (_, content) => {
  await expect(readAll("open.csv", content)).rejects.toThrow("A row after line 2 opens a quote that is not closed within 1 MiB.");
});

test("TSV", async () => {
  expect(await readAll("file.tsv", "a\tb\n1,0\t2\n")).toEqual([{ line: 2, row: { a: "1,0", b: "2" } }]);
});

test("NDJSON: rows, blank lines, and a line for each fault", async () => {
  const lines = ['\uFEFF{"a":1}', "", "{broken", "[1]", Buffer.from('{"a":"\xFC"}', "latin1"), `{"a":"${"x".repeat(1_100_000)}"}`, '{"a":{"b":[2]}}'];
  const content = Buffer.concat(lines.map((line) => Buffer.concat([Buffer.from(line), Buffer.from("\n")])));
  expect(await readAll("file.ndjson", content)).toEqual([
    { line: 1, row: { a: 1 } },
    failed(3, "invalid_json"),
    failed(4, "invalid_type"),
    failed(5, "not_utf8"),
    failed(6, "row_too_large"),
    { line: 7, row: { a: { b: [2] } } },
  ]);
});

test("NDJSON: rows across the borders of what is read at a time", async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({ i, text: "ü".repeat(i % 97) }));
  const read = await readAll("long.jsonl", rows.map((row) => JSON.stringify(row)).join("\r\n"));
  expect(read.map((row) => "row" in row && row.row)).toEqual(rows);
});

test("gzip is unpacked", async () => {
  expect(await readAll("file.csv.gz", gzipSync("a,b\n1,2\n"))).toEqual([{ line: 2, row: { a: "1", b: "2" } }]);
});

test("a damaged gzip file is an error", async () => {
  await expect(readAll("cut.csv.gz", gzipSync("a,b\n1,2\n".repeat(1000)).subarray(0, 30))).rejects.toThrow();
});

test("an abort ends the reading", async () => {
  const file = join(directory, "abort.csv");
  writeFileSync(file, `a,b\n${"1,2\n".repeat(50_000)}`);
  const stop = new AbortController();
  const read = async () => {
    for await (const { line } of openRows(file, "csv", () => undefined, stop.signal).rows) if (line === 5) stop.abort(new Error("enough"));
  };
  await expect(read()).rejects.toThrow("enough");
});
