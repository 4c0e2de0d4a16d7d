import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

describe("the package", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "package-"));
    for (const name of ["bin", "migrations", "package.json"]) cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    execFileSync(process.execPath, [join(root, "tools/strip-package.mjs"), join(folder, "dist")]);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it("holds every production file, and no test", () => {
    const sources = globSync("**/*.ts", { cwd: join(root, "src"), exclude: ["**/*.test.ts", "**/*.d.ts", "testing/**", "**/fixtures/**"] });
    const stripped = globSync("**/*.js", { cwd: join(folder, "dist") });
    expect(stripped.sort()).toEqual(sources.map((file) => file.replace(/\.ts$/, ".js")).sort());
  });

  it("names no TypeScript file", () => {
    const files = globSync("**/*.js", { cwd: join(folder, "dist") });
    const naming = files.filter((file) => /(from|import\(?)\s*["'][^"']+\.ts["']/.test(readFileSync(join(folder, "dist", file), "utf8")));
    expect(naming).toEqual([]);
  });

  it("starts without its sources", () => {
    const help = execFileSync(process.execPath, [join(folder, "bin/tributary.js"), "--help"], { encoding: "utf8" });
    for (const command of ["start", "import", "keys", "doctor"]) expect(help).toContain(command);
  });
});
