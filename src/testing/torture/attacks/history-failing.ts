import { lstat, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { untilProcessed } from "../../server-client.ts";
import { type Arena, comesTrue } from "../arena.ts";
import { defineAttack } from "../attack.ts";

const graceMs = 1000;
/** Longer than processing takes to suspect its events. */
const failingMs = 6000;

/** The directory of ClickHouse's parts behind a link, which can be exchanged at one stroke. */
async function putBehindLink({ server, start }: Arena): Promise<{ fail(): Promise<void>; mend(): Promise<void> }> {
  const at = (name: string): string => join(server.dataDir, "history", name);
  if (!(await lstat(at("store"))).isSymbolicLink()) {
    await server.stop();
    await rename(at("store"), at("store-behind"));
    await symlink("store-behind", at("store"));
    await start();
  }
  return {
    // A file, in which no directory can be made: an engine whose disk is gone.
    async fail() {
      await writeFile(at("no-store"), "");
      await rename(at("no-store"), at("store"));
    },
    async mend() {
      await symlink("store-behind", at("link"));
      await rename(at("link"), at("store"));
    },
  };
}

export default defineAttack({
  name: "history-failing",
  does: "the directory of ClickHouse's parts is away for longer than window and grace, so that every insert fails, and comes back",
  holds: "as when PostgreSQL stands still, and /health names history",
  async run(arena) {
    await arena.begin({ graceMs });
    const store = await putBehindLink(arena);
    for (let round = 0; round < (arena.short ? 1 : 3); round++) await failOnce(arena, store);
    await arena.settle();
  },
});

async function failOnce(arena: Arena, store: Awaited<ReturnType<typeof putBehindLink>>): Promise<void> {
  const before = arena.send(arena.write(100));
  before.catch(() => undefined);
  await pause(arena.random.int(200));
  await store.fail();
  const began = performance.now();
  try {
    await before;
    const refused = arena.sender.figures.refused503;
    await arena.send(arena.write(arena.short ? 100 : 300));
    arena.demand(arena.sender.figures.refused503 === refused, "events were refused while history failed");
    const isNamed = await comesTrue("health", async () => (await arena.health()).failing.includes("history"), 20_000);
    const { status, failing, accepting } = await arena.health();
    arena.demand(isNamed && status === 503 && accepting, `health while history failed: ${status}, failing ${failing.join()}, accepting ${accepting}`);
    await pause(Math.max(0, failingMs - (performance.now() - began)));
  } finally {
    await store.mend();
  }
  arena.figures.time("history failed", performance.now() - began);
  const endedAt = performance.now();
  arena.demand(await comesTrue("health", async () => (await arena.health()).status === 200, 60_000), "health is not well again a minute after history worked again");
  await untilProcessed(arena.server);
  arena.figures.time("recovered from a failing history", performance.now() - endedAt);
}
