import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockInstance } from "./instance-lock.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "lock-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test("a second holder of a directory is refused until the first gives it back", async () => {
  const release = await lockInstance(dir);
  await expect(lockInstance(dir)).rejects.toThrow(/Another Tributary runs on/);
  await release();
  await (await lockInstance(dir))();
});

test("a holder that was killed leaves nothing in the way", async () => {
  const script = `import { lockInstance } from ${JSON.stringify(new URL("./instance-lock.ts", import.meta.url).href)};
    await lockInstance(${JSON.stringify(dir)}); console.log("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  await expect(lockInstance(dir)).rejects.toThrow(/Another Tributary/);
  child.kill("SIGKILL");
  await once(child, "exit");
  await (await lockInstance(dir))();
});
