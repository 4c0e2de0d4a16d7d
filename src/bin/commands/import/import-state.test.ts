import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freshState, readState, writeState } from "./import-state.ts";

const directory = mkdtempSync(join(tmpdir(), "state-"));
afterAll(() => rmSync(directory, { recursive: true }));

const path = join(directory, "s.json");
const half = { ...freshState("f"), rows: 10, accepted: 9, rejected: 1, rejectsBytes: 80 };

test("what was written is read back, and nothing else is left behind", () => {
  writeState(path, half);
  expect(readState(path, "f")).toEqual({ state: half });
  expect(readdirSync(directory)).toEqual(["s.json"]);
});

test("without a file it starts anew", () => {
  expect(readState(join(directory, "none.json"), "f")).toEqual({ state: freshState("f") });
});

test("a finished import starts anew", () => {
  writeState(path, { ...half, finished: true });
  expect(readState(path, "f")).toEqual({ state: freshState("f") });
});

test("the state of another file, mapping or server is left aside with a note", () => {
  writeState(path, half);
  expect(readState(path, "other")).toEqual({ state: freshState("other"), note: expect.stringContaining("changed since") });
});

test.each(["", "{", "[]", '{"version":2}'])("a state file with %j in it is left aside with a note", (text) => {
  writeFileSync(path, text);
  expect(readState(path, "f")).toEqual({ state: freshState("f"), note: expect.stringContaining("cannot be read") });
});
