import { execFile } from "node:child_process";
import { rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { untilProcessed } from "../../server-client.ts";
import { comesTrue } from "../arena.ts";
import { defineAttack } from "../attack.ts";

const run = promisify(execFile);
const marginBytes = 512 * 1024 ** 2;
const noticedMsMax = 20_000;

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

export default defineAttack({
  name: "disk-reserve",
  does: "a file takes so much of the disk that less than the reserve is free, and is removed again",
  holds: "events are answered 503 with Retry-After and /health names disk; afterwards they are accepted without a restart, and nothing accepted is lost",
  async run(arena) {
    const { server } = arena;
    const reserve = (await freeBytes(server.dataDir)) - 4 * marginBytes;
    await arena.begin({ env: { DISK_RESERVE_BYTES: String(reserve) } });
    await arena.send(arena.write(50));
    const filler = join(server.dataDir, "filler");
    const refused = arena.sender.figures.refused503;
    let sending: Promise<void> | undefined;
    try {
      // Others use the disk too: the file is as large as it must be now.
      await run("fallocate", ["-l", String((await freeBytes(server.dataDir)) - reserve + marginBytes), filler]);
      const isNamed = await comesTrue("health", async () => (await arena.health()).failing.includes("disk"), noticedMsMax);
      const { status, failing, accepting } = await arena.health();
      arena.demand(isNamed && status === 503 && !accepting, `health below the disk reserve: ${status}, failing ${failing.join()}, accepting ${accepting}`);
      sending = arena.send(arena.write(arena.short ? 50 : 200));
      sending.catch(() => undefined);
      arena.demand(await comesTrue("refusals", () => arena.sender.figures.refused503 > refused, noticedMsMax), "events were not refused below the disk reserve");
    } finally {
      await rm(filler, { force: true });
    }
    const began = performance.now();
    await sending;
    arena.figures.time("accepted again after the disk was freed", performance.now() - began);
    arena.demand(await comesTrue("health", async () => (await arena.health()).status === 200, noticedMsMax), "health is not well again after the disk was freed");
    await untilProcessed(server);
    await arena.settle();
  },
});
