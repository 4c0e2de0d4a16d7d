import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestHistory, type TestHistory } from "../../testing/test-history.ts";
import { createDoubts, type Doubts } from "./doubts.ts";

let opened: TestHistory;
let conditions: string[];
let isAway: boolean;
let doubts: Doubts;
beforeAll(async () => {
  opened = await openTestHistory();
});
afterAll(() => opened.drop());
beforeEach(() => {
  [conditions, isAway] = [[], false];
  doubts = createDoubts("cdp", async (condition) => {
    if (isAway) throw new Error("away");
    conditions.push(condition);
    await opened.history.command(`kill query where ${condition} sync`);
  });
});

async function fail(code?: string): Promise<string> {
  let used = "";
  const error = Object.assign(new Error("no answer"), code === undefined ? {} : { code });
  await expect(doubts.insert("partition-3", async (id) => {
    used = id;
    throw error;
  })).rejects.toBe(error);
  return used;
}

test("an insert that succeeded leaves no doubt", async () => {
  expect(await doubts.insert("partition-3", async (id) => id)).toMatch(/^tributary-cdp-partition-3-[0-9a-f-]{36}$/);
  await doubts.clear();
  expect(conditions).toEqual([]);
});

test("those that failed are ended together, once", async () => {
  const ids = [await fail(), await fail("241")];
  await doubts.clear();
  await doubts.clear();
  expect(conditions).toEqual([`initial_query_id in ('${ids[0]}', '${ids[1]}')`]);
});

test("one that never reached a server is not in doubt", async () => {
  await fail("ECONNREFUSED");
  await doubts.clear();
  expect(conditions).toEqual([]);
});

test("while it cannot be ended the doubt stays", async () => {
  await fail();
  isAway = true;
  await expect(doubts.clear()).rejects.toThrow("away");
  isAway = false;
  await doubts.clear();
  expect(conditions).toHaveLength(1);
});

test("all inserts of a name are ended by how their ids begin, and 3 is not the beginning of 30", async () => {
  await doubts.settle("partition-3");
  expect(conditions).toEqual(["startsWith(initial_query_id, 'tributary-cdp-partition-3-')"]);
});

test("where an insert that failed has ended there is nothing to do", async () => {
  doubts = createDoubts("cdp", undefined);
  await fail();
  await doubts.clear();
  await doubts.settle("partition-3");
  expect(conditions).toEqual([]);
});
