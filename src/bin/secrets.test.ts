import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSecrets } from "./secrets.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "secrets-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test("a pepper is made once, for its owner only, and is the same ever after", async () => {
  const { pepper } = await readSecrets(dir, { pepper: undefined });
  expect(pepper.length).toBe(32);
  expect((await readSecrets(dir, { pepper: undefined })).pepper).toEqual(pepper);
  expect((await stat(join(dir, "secrets/pepper"))).mode & 0o777).toBe(0o600);
});

test("a damaged pepper refuses the start instead of making every customer a stranger", async () => {
  await readSecrets(dir, { pepper: undefined });
  await writeFile(join(dir, "secrets/pepper"), "oops");
  await expect(readSecrets(dir, { pepper: undefined })).rejects.toThrow(/damaged/);
  expect(await readFile(join(dir, "secrets/pepper"), "utf8")).toBe("oops");
});

test("a pepper in the settings stands", async () => {
  expect((await readSecrets(dir, { pepper: "x".repeat(32) })).pepper).toEqual(Buffer.from("x".repeat(32)));
});
