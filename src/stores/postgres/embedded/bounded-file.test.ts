import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createBoundedFile } from "./bounded-file.ts";

let dir: string;
let file: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tributary-bounded-"));
  file = join(dir, "lines.log");
});

afterEach(() => rm(dir, { recursive: true, force: true }));

test("the full file is kept once, and both stay under the limit", async () => {
  const append = createBoundedFile(file, 20);
  for (const line of ["line 1\n", "line 2\n", "line 3\n", "line 4\n", "line 5\n"]) append(line);
  expect(await readFile(`${file}.1`, "utf8")).toBe("line 3\nline 4\n");
  expect(await readFile(file, "utf8")).toBe("line 5\n");
});

test("a file that was there goes on and counts", async () => {
  createBoundedFile(file, 20)("line 1\nline 2\n");
  createBoundedFile(file, 20)("line 3\n");
  expect(await readFile(file, "utf8")).toBe("line 3\n");
  expect(await readFile(`${file}.1`, "utf8")).toBe("line 1\nline 2\n");
});

test("a folder that is gone does not stop the writer", async () => {
  const append = createBoundedFile(file, 20);
  await rm(dir, { recursive: true });
  expect(() => append("line 1\n")).not.toThrow();
});
