import { setTimeout as pause } from "node:timers/promises";
import { untilProcessed } from "../../server-client.ts";
import { postgresPids } from "../../server-process.ts";
import { comesTrue } from "../arena.ts";
import { defineAttack } from "../attack.ts";

const graceMs = 1000;

export default defineAttack({
  name: "postgres-dying",
  does: "kill -9 of PostgreSQL as soon as it runs, again and again, for longer than window and grace",
  holds: "as when it stands still",
  async run(arena) {
    const { server } = arena;
    await arena.begin({ graceMs });
    const began = performance.now();
    const refused = arena.sender.figures.refused503;
    let named = false;
    let kills = 0;
    while (performance.now() - began < (arena.short ? 4 : 10) * graceMs) {
      if (postgresPids(server.dataDir).length > 0) {
        server.signalPostgres("SIGKILL", arena.random.pick(["postmaster", "all"] as const));
        kills += 1;
      }
      await arena.send(arena.write(10));
      named ||= (await arena.health()).failing.includes("state");
      await pause(arena.random.int(200));
    }
    arena.figures.add("kills survived: PostgreSQL again and again", kills);
    arena.demand(arena.sender.figures.refused503 === refused, "events were refused while PostgreSQL was dying");
    arena.demand(named, "health never named state while PostgreSQL was dying");
    const endedAt = performance.now();
    arena.demand(await comesTrue("health", async () => (await arena.health()).status === 200, 90_000), "health is not well again 90 s after PostgreSQL was left alone");
    await untilProcessed(server);
    arena.figures.time("recovered from a dying PostgreSQL", performance.now() - endedAt);
    await arena.settle();
  },
});
