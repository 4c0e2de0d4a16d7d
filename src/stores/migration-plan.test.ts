import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planMigrations, readMigrations, type MigrationFile } from "./migration-plan.ts";

function file(version: number, checksum = `sum${version}`): MigrationFile {
  return { version, name: `step-${version}`, sql: "", checksum };
}

const plans: [what: string, files: MigrationFile[], applied: MigrationFile[], outcome: number[] | RegExp][] = [
  ["an empty database runs every file", [file(1), file(2)], [], [1, 2]],
  ["only what is new runs", [file(1), file(2), file(3)], [file(1)], [2, 3]],
  ["nothing runs twice", [file(1), file(2)], [file(1), file(2)], []],
  ["gaps between numbers are fine", [file(1), file(7)], [file(1)], [7]],
  ["nothing at all", [], [], []],
  ["a newer database is refused", [file(1)], [file(1), file(2)], /written by a newer Tributary/],
  ["a changed file is refused", [file(1, "other")], [file(1)], /migration 1 \(step-1\) has changed/],
  ["a removed file is refused", [file(2)], [file(1), file(2)], /migration 1 \(step-1\) is missing/],
  ["a file that comes too late is refused", [file(1), file(2), file(3)], [file(1), file(3)], /migration 2 \(step-2\) is older/],
];

test.each(plans)("%s", (_, files, applied, outcome) => {
  if (outcome instanceof RegExp) expect(() => planMigrations(files, applied)).toThrow(outcome);
  else expect(planMigrations(files, applied).map((each) => each.version)).toEqual(outcome);
});

async function inFolder<T>(names: string[], work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "tributary-migrations-"));
  for (const name of names) await writeFile(join(folder, name), `-- ${name}`);
  return await work(folder).finally(() => rm(folder, { recursive: true }));
}

test("files are read in the order of their numbers, other files are left alone", async () => {
  const files = await inFolder(["000010-later.sql", "000002-sooner.sql", "README.md"], readMigrations);
  expect(files.map(({ version, name, sql }) => ({ version, name, sql }))).toEqual([
    { version: 2, name: "sooner", sql: "-- 000002-sooner.sql" },
    { version: 10, name: "later", sql: "-- 000010-later.sql" },
  ]);
  expect(files[0]?.checksum).toMatch(/^[0-9a-f]{64}$/);
});

test("two files with one number are refused", async () => {
  await expect(inFolder(["000001-a.sql", "000001-b.sql"], readMigrations)).rejects.toThrow(/Two migrations have the number 1/);
});

test("a file with a wrong name is refused", async () => {
  await expect(inFolder(["1-a.sql"], readMigrations)).rejects.toThrow(/not named like/);
});
