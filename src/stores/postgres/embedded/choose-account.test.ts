import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findClosedDirectory, mayTraverse } from "./choose-account.ts";

const account = { uid: 101, gid: 104 };

const rows: [what: string, uid: number, gid: number, mode: number, may: boolean][] = [
  ["own directory", 101, 0, 0o700, true],
  ["own directory, closed to its owner", 101, 0, 0o077, false],
  ["group's directory", 0, 104, 0o710, true],
  ["group's directory, closed to the group", 0, 104, 0o701, false],
  ["another's directory, open to all", 0, 0, 0o755, true],
  ["another's directory, passable only", 0, 0, 0o711, true],
  ["another's directory, private", 0, 0, 0o700, false],
  ["another's directory, readable but not passable", 0, 0, 0o744, false],
];

test.each(rows)("%s", (_, uid, gid, mode, may) => {
  expect(mayTraverse({ uid, gid, mode }, account)).toBe(may);
});

test("the outermost closed directory is named, also above one that does not exist", async () => {
  const base = await mkdtemp(join(tmpdir(), "tributary-account-"));
  await mkdir(join(base, "open"), { mode: 0o755 });
  const stranger = { uid: 4_000_000, gid: 4_000_000 };
  expect(await findClosedDirectory(join(base, "open", "missing"), stranger)).toBe(base);
  await chmod(base, 0o711);
  expect(await findClosedDirectory(join(base, "open", "missing"), stranger)).toBeUndefined();
  await rm(base, { recursive: true });
});
