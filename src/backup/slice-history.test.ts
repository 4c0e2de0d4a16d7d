import { afterAll, beforeAll, expect, test } from "vitest";
import type { Mark } from "../contracts/backup.ts";
import { createPositionSet } from "../core/position-set.ts";
import { openTestHistory } from "../testing/test-history.ts";
import { isLater, sliceHistory } from "./slice-history.ts";

let opened: Awaited<ReturnType<typeof openTestHistory>>;
beforeAll(async () => {
  opened = await openTestHistory();
  await opened.history.command("create table placed (log_partition UInt32, log_pos UInt64) engine = MergeTree order by log_pos");
  await opened.history.insert("placed", [0, 1, 2].flatMap((log_partition) => Array.from({ length: 30 }, (_, n) => ({ log_partition, log_pos: n + 1 }))));
});
afterAll(() => opened.drop());

/** Positions below the mark, and some above. */
function mark(partition: number, lowWater: number, ...above: number[]): Mark {
  const positions = createPositionSet(lowWater, Buffer.alloc(0));
  positions.add(above);
  return { partition, lowWater: positions.lowWater, doneAbove: positions.bitmap().toString("base64") };
}

async function rowsOf(after: Mark[], upTo: Mark[]): Promise<string[]> {
  const { where, params } = sliceHistory(after, upTo);
  const rows = await opened.history.query<{ at: string }>(`select concat(toString(log_partition), ':', toString(log_pos)) at from placed where ${where} order by log_partition, log_pos`, params);
  return rows.map(({ at }) => at);
}

test.each<[name: string, after: Mark[], upTo: Mark[], rows: string[]]>([
  ["nothing in state", [], [mark(1, 1)], []],
  ["all below a mark", [], [mark(1, 4)], ["1:1", "1:2", "1:3"]],
  ["some above the mark", [], [mark(1, 2, 5, 9)], ["1:1", "1:5", "1:9"]],
  ["what came since", [mark(1, 2, 4)], [mark(1, 6)], ["1:2", "1:3", "1:5"]],
  ["what came since, above the mark too", [mark(1, 2, 9)], [mark(1, 2, 4, 9)], ["1:4"]],
  ["nothing since", [mark(1, 4, 6)], [mark(1, 4, 6)], []],
  ["a partition that is new", [mark(1, 4)], [mark(1, 4), mark(2, 3)], ["2:1", "2:2"]],
  ["several partitions", [mark(0, 2), mark(1, 2)], [mark(0, 3), mark(1, 2, 4)], ["0:2", "1:4"]],
])("a slice has %s", async (_, after, upTo, rows) => {
  expect(await rowsOf(after, upTo)).toEqual(rows);
});

test.each<[name: string, now: Mark[], before: Mark[], later: boolean]>([
  ["the same moment", [mark(1, 3, 5)], [mark(1, 3, 5)], true],
  ["a later one", [mark(1, 9), mark(2, 1)], [mark(1, 3, 5)], true],
  ["an earlier one", [mark(1, 2)], [mark(1, 3)], false],
  ["one that lacks a position", [mark(1, 4)], [mark(1, 3, 5)], false],
  ["another installation's", [mark(2, 9)], [mark(1, 3)], false],
])("%s is told apart", (_, now, before, later) => {
  expect(isLater(now, before)).toBe(later);
});
