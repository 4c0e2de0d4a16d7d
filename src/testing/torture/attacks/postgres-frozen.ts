import { setTimeout as pause } from "node:timers/promises";
import { untilProcessed } from "../../server-client.ts";
import { comesTrue } from "../arena.ts";
import { defineAttack } from "../attack.ts";

const graceMs = 1000;
const healthMsMax = 20_000;

export default defineAttack({
  name: "postgres-frozen",
  does: "SIGSTOP of all of PostgreSQL for longer than window and grace",
  holds: "events are accepted all the while, /health answers 503 and names state, nothing becomes late by waiting, processing goes on without a restart",
  async run(arena) {
    const { server } = arena;
    await arena.begin({ graceMs });
    await arena.send(arena.write(50));
    for (let round = 0; round < (arena.short ? 1 : 3); round++) {
      // Often in the middle of a batch.
      const before = arena.send(arena.write(100));
      before.catch(() => undefined);
      await pause(arena.random.int(200));
      server.signalPostgres("SIGSTOP", "all");
      const frozenAt = performance.now();
      try {
        await before;
        const refused = arena.sender.figures.refused503;
        await arena.send(arena.write(arena.short ? 100 : 300));
        arena.demand(arena.sender.figures.refused503 === refused, "events were refused while PostgreSQL stood still");
        const isNamed = await comesTrue("health", async () => (await arena.health()).failing.includes("state"), healthMsMax);
        const { status, failing, accepting } = await arena.health();
        arena.demand(isNamed && status === 503 && accepting, `health while PostgreSQL stood still: ${status}, failing ${failing.join()}, accepting ${accepting}`);
        await pause(Math.max(0, 3 * graceMs - (performance.now() - frozenAt)));
        await arena.send(arena.write(50));
      } finally {
        server.signalPostgres("SIGCONT", "all");
      }
      arena.figures.time("PostgreSQL stood still", performance.now() - frozenAt);
      const began = performance.now();
      arena.demand(await comesTrue("health", async () => (await arena.health()).status === 200, 60_000), "health is not well again a minute after PostgreSQL went on");
      await untilProcessed(server);
      arena.figures.time("recovered from a frozen PostgreSQL", performance.now() - began);
    }
    await arena.settle();
  },
});
