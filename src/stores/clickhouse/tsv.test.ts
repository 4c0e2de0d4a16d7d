import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestHistory } from "../../testing/test-history.ts";
import type { History } from "./history.ts";
import { createTsvWriter, tsvText, tsvTexts, tsvTime } from "./tsv.ts";

let test1: Awaited<ReturnType<typeof openTestHistory>>;
let history: History;
beforeAll(async () => {
  test1 = await openTestHistory();
  history = test1.history;
  await history.command("create table line (n UInt32, text String, texts Array(String), at DateTime64(3, 'UTC'), json String, none String) engine = MergeTree order by n");
});
afterAll(() => test1.drop());

const text = fc.oneof(
  fc.string({ unit: "grapheme" }), fc.string({ unit: fc.constantFrom("\\", "\t", "\n", "\r", "\0", "'", "\"", "N", "b", "[", "]", ",", "ü", "\b", "\f", "\v") }),
).filter((value) => value.isWellFormed());
const time = fc.integer({ min: 31_536_000_000, max: 4_102_444_800_000 });

test("texts, lists of texts and times arrive as they were, whatever is in them", async () => {
  const row = fc.record({ text, texts: fc.array(text, { maxLength: 4 }), at: time });
  await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
    await history.command("truncate table line");
    const lines = createTsvWriter(10);
    for (const [n, one] of rows.entries()) {
      lines.raw(`${n}\t${tsvText(one.text)}\t${tsvTexts(one.texts)}\t${tsvTime(one.at)}\t`);
      const json = Buffer.from(` ${JSON.stringify(one)} `);
      lines.json(json, 1, json.length - 1, "");
      lines.json(json, 1, 1, "\tnone");
      lines.raw("\n");
    }
    await history.insertLines("line", ["n", "text", "texts", "at", "json", "none"], lines.bytes());
    const found = await history.query<{ json: string; none: string }>("select text, texts, toUnixTimestamp64Milli(at) at, json, none from line order by n");
    expect(found).toEqual(rows.map((row) => ({ ...row, json: JSON.stringify(row), none: "none" })));
  }), { numRuns: 60, examples: [[[{ text: "\\N", texts: ["\\N", "a'b\\"], at: 999_999_999_999 }]]] });
});
