import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestHistory } from "../../testing/test-history.ts";
import type { ColumnType, History } from "./history.ts";

let test1: Awaited<ReturnType<typeof openTestHistory>>;
let history: History;
beforeAll(async () => {
  test1 = await openTestHistory();
  history = test1.history;
  const definitions = columns.map(([name, type]) => `${name} ${type}`).join(", ");
  await history.command(`create table line (${definitions}) engine = MergeTree order by n`);
});
afterAll(() => test1.drop());

const columns: ColumnType[] = [
  ["n", "UInt32"], ["flag", "Bool"], ["whole", "Int64"], ["at", "DateTime64(3, 'UTC')"], ["sent", "Nullable(DateTime64(3, 'UTC'))"], ["key", "UInt128"],
  ["amount", "Decimal(38, 6)"], ["share", "Float32"], ["text", "String"], ["word", "LowCardinality(String)"], ["texts", "Array(LowCardinality(String))"],
  ["numbers", "Array(UInt64)"], ["pieces", "String"],
];

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom("\\", "\t", "\n", "\r", "\0", "'", "\"", ";", "ü", "€", "\u{1f600}", "a"), minLength: 35, maxLength: 300 }),
).filter((value) => value.isWellFormed());
const time = fc.integer({ min: -2_208_988_800_000, max: 9_000_000_000_000 });
const digits = (max: number): fc.Arbitrary<string> => fc.bigInt({ min: -(10n ** BigInt(max)), max: 10n ** BigInt(max) }).map(String);
const rowOf = fc.record({
  flag: fc.boolean(), whole: fc.maxSafeInteger(), at: time, sent: fc.option(time), key: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((n) => n.toString(16).padStart(32, "0")),
  amount: fc.oneof(digits(15), digits(31)), share: fc.integer({ min: -80_000, max: 80_000 }).map((n) => n / 8), text, word: text,
  texts: fc.array(text, { maxLength: 200, size: "max" }), numbers: fc.array(fc.maxSafeInteger().map(Math.abs), { maxLength: 5 }),
});

test("values of every type arrive as they were, whatever is in them", async () => {
  await fc.assert(fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 30 }), async (rows) => {
    await history.command("truncate table line");
    await history.insertBinary("line", columns, rows.map((row, n) => ({ ...row, n })), (out, row) => {
      out.uint32(row.n);
      out.uint8(row.flag);
      out.int64(row.whole);
      out.int64(row.at);
      out.uint8(row.sent === null);
      if (row.sent !== null) out.int64(row.sent);
      out.key(row.key);
      out.int128(row.amount);
      out.float32(row.share);
      out.text(row.text);
      out.text(row.word);
      out.size(row.texts.length);
      for (const one of row.texts) out.text(one);
      out.size(row.numbers.length);
      for (const number of row.numbers) out.int64(number);
      const bytes = Buffer.from(` ${row.text} `);
      out.size(bytes.length + 1);
      out.ascii("p: ");
      out.raw(bytes, 1, bytes.length - 1);
    });
    const found = await history.query(
      `select flag, whole, toUnixTimestamp64Milli(at) at, toUnixTimestamp64Milli(sent) sent, toString(key) key, toString(amount * 1000000) amount, share,
         text, word, texts, numbers, pieces from line order by n`,
    );
    const exactly = (amount: string): string => (amount === "-0" ? "0" : amount);
    expect(found).toEqual(rows.map((row) => ({ ...row, key: BigInt(`0x${row.key}`).toString(), amount: exactly(row.amount), pieces: `p: ${row.text}` })));
  }), { numRuns: 60 });
});

test("rows go out as text and in again as they were", async () => {
  await history.command("create table if not exists other as line");
  await fc.assert(fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 30 }), async (rows) => {
    for (const table of ["line", "other"]) await history.command(`truncate table ${table}`);
    await history.insert("line", rows.map((row, n) => ({ ...row, n, key: BigInt(`0x${row.key}`).toString(), amount: undefined, pieces: row.text })));
    const text = Buffer.concat(await Array.fromAsync(history.streamText("select * from line where n >= {n:UInt32}", { n: 0 })));
    await history.insertText("other", columns, text);
    const read = (table: string) => history.query<{ hash: string }>(`select toString(groupBitXor(cityHash64(*))) hash, count() n from ${table}`);
    expect(await read("other")).toEqual(await read("line"));
    expect(await history.query("select text, texts, toUnixTimestamp64Milli(at) at from other order by n")).toEqual(rows.map(({ text, texts, at }) => ({ text, texts, at })));
  }), { numRuns: 30 });
});

test("a stream that is left early, or whose query fails, leaves the engine able to work", async () => {
  for await (const chunk of history.streamText("select number from numbers(10000000)")) if (chunk.length > 0) break;
  await expect(Array.fromAsync(history.streamText("select throwIf(number = 90000) from numbers(100000)"))).rejects.toThrow(/throwIf/);
  expect(await history.query("select 1 one")).toEqual([{ one: 1 }]);
});

test("rows of many chunks become one part", async () => {
  await history.command("truncate table line");
  const padding = "x".repeat(2000);
  const narrow = columns.filter(([name]) => name === "n" || name === "text");
  await history.insertBinary("line", narrow, Array.from({ length: 3000 }, (_, n) => n), (out, n) => {
    out.uint32(n);
    out.text(`${n} ${padding}`);
  });
  expect(await history.query("select count() rows, sum(n) numbers, sum(length(text)) bytes, uniqExact(_part) parts from line")).toEqual([
    { rows: 3000, numbers: 4_498_500, bytes: 3000 * 2001 + 10 + 90 * 2 + 900 * 3 + 2000 * 4, parts: 1 },
  ]);
});

test("a row that cannot be written fails the insert, none of it is there, and the next insert works", async () => {
  await history.command("truncate table line");
  const narrow = columns.filter(([name]) => name === "n");
  const insert = (bad: number): Promise<void> => history.insertBinary("line", narrow, [1, 2, 3], (out, n) => {
    if (n === bad) throw new Error("no such number");
    out.uint32(n);
  });
  await expect(insert(3)).rejects.toThrow("no such number");
  await insert(0);
  expect(await history.query("select n from line order by n")).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});
