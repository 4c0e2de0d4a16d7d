import { setTimeout as pause } from "node:timers/promises";
import { untilProcessed } from "../../server-client.ts";
import type { Arena } from "../arena.ts";
import { defineAttack } from "../attack.ts";
import { introduceCustomers } from "../introduce-customers.ts";
import { killOnce, killWays } from "../kill-ways.ts";
import { repeatSome, replaySome } from "../repeat-events.ts";

const graceMs = 2000;
const hourMs = 3_600_000;
const stillMsMax = 1500;

const hurts: ((arena: Arena) => Promise<void>)[] = [
  (arena) => killOnce(arena, arena.random.pick(killWays)),
  (arena) => killOnce(arena, arena.random.pick(killWays)),
  async (arena) => {
    arena.order({ kind: "clock", offsetMs: (arena.random.int(13) - 6) * hourMs });
    arena.figures.add("clock jumps");
  },
  async ({ server, random }) => {
    if (server.pids().length < 2) return;
    server.signalPostgres("SIGSTOP", "all");
    await pause(random.int(stillMsMax)).finally(() => server.signalPostgres("SIGCONT", "all"));
  },
  async (arena) => {
    await untilProcessed(arena.server);
    await replaySome(arena);
  },
];

export default defineAttack({
  name: "everything-at-once",
  does: "new events, repeated ones and other content under old ids, while at random it is killed, stands still, its clock jumps, and what was held is replayed",
  holds: "profiles are what the reference makes of what was accepted first",
  async run(arena) {
    await arena.begin({ graceMs, people: arena.random.pick([6, 20, 60]) });
    await introduceCustomers(arena);
    const sendings: Promise<void>[] = [];
    for (let turn = 0; turn < (arena.short ? 4 : 12); turn++) {
      sendings.push(arena.send(arena.write(arena.short ? 60 : 150)), arena.send(repeatSome(arena)));
      for (const sending of sendings.slice(-2)) sending.catch(() => undefined);
      await arena.random.pick(hurts)(arena);
    }
    await Promise.all(sendings);
    arena.order({ kind: "clock", offsetMs: 0 });
    await arena.settle();
  },
});
