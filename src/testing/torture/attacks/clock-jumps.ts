import { setTimeout as pause } from "node:timers/promises";
import { defineAttack } from "../attack.ts";

const hourMs = 3_600_000;

export default defineAttack({
  name: "clock-jumps",
  does: "the machine's clock jumps forwards and backwards by hours while events come in, and over a kill",
  holds: "events are judged by the clock at their arrival, are processed without waiting for the clock to catch up, and profiles are what the reference makes of them",
  async run(arena) {
    await arena.begin({ graceMs: 5000 });
    const jumps = [1, -2, 0, 5, -5, 0].map((hours) => hours * hourMs + arena.random.int(60_000));
    for (const offsetMs of arena.short ? arena.random.some(jumps, 3) : arena.random.shuffle(jumps)) {
      const sending = arena.send(arena.write(arena.short ? 80 : 200));
      sending.catch(() => undefined);
      await pause(arena.random.int(150));
      arena.order({ kind: "clock", offsetMs });
      arena.figures.add("clock jumps");
      if (arena.random.chance(0.3)) {
        await arena.server.kill();
        await arena.start();
        arena.figures.add("kills survived: server");
      }
      await sending;
    }
    arena.order({ kind: "clock", offsetMs: 0 });
    await arena.settle();
  },
});
