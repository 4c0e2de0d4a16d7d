import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { findBinaries, restoreLinks } from "./find-binaries.ts";

test("this platform's server is found and runs", async () => {
  const { postgres } = await findBinaries();
  const { stdout } = await promisify(execFile)(postgres, ["--version"]);
  expect(stdout).toMatch(/^postgres \(PostgreSQL\) 18\./);
});

test.each(["win32-x64", "sunos-x64"])("a platform without a package is told what to do: %s", async (platform) => {
  await expect(findBinaries(platform)).rejects.toThrow(`There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL`);
});

test("links that a blocked install script did not make are made, and those that are there stay", async () => {
  const root = await mkdtemp(join(tmpdir(), "tributary-links-"));
  await mkdir(join(root, "native/lib"), { recursive: true });
  await writeFile(join(root, "native/lib/libpq.so.5.18"), "library");
  const links = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
  await writeFile(join(root, "native/pg-symlinks.json"), JSON.stringify(links));
  await restoreLinks(root);
  await restoreLinks(root);
  expect(await readlink(join(root, "native/lib/libpq.so.5"))).toBe("libpq.so.5.18");
  expect(await readFile(join(root, "native/lib/libpq.so.5"), "utf8")).toBe("library");
  await rm(root, { recursive: true });
});
