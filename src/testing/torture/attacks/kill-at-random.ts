import { untilProcessed } from "../../server-client.ts";
import { defineAttack } from "../attack.ts";
import { killOnce, killWays } from "../kill-ways.ts";

export default defineAttack({
  name: "kill-at-random",
  does: "kill -9 of the server, of the postmaster, of all of PostgreSQL, of both and of the process groups, at random moments while events come in",
  holds: "every event that was answered is in one profile, counted once, in history once; no number is given twice",
  async run(arena) {
    await arena.begin();
    const names = arena.random.shuffle(killWays);
    const sendings: Promise<void>[] = [];
    for (const way of arena.short ? names.slice(0, 3) : [...names, ...arena.random.shuffle(names)]) {
      sendings.push(arena.send(arena.write(arena.short ? 200 : 500)));
      sendings.at(-1)?.catch(() => undefined);
      await killOnce(arena, way);
    }
    const began = performance.now();
    await Promise.all(sendings);
    await untilProcessed(arena.server);
    arena.figures.time("recovered after the last of several kills", performance.now() - began);
    await arena.settle();
  },
});
