import { setTimeout as pause } from "node:timers/promises";
import type { Arena } from "./arena.ts";

/** Whether the server itself is gone afterwards. */
const ways: Record<string, { ends: boolean; kill(arena: Arena): Promise<void> | void }> = {
  "server": { ends: true, kill: ({ server }) => server.kill() },
  "postmaster": { ends: false, kill: (arena) => signalPostgres(arena, "postmaster") },
  "all of PostgreSQL": { ends: false, kill: (arena) => signalPostgres(arena, "all") },
  "server and postmaster": {
    ends: true,
    kill: (arena) => {
      signalPostgres(arena, "postmaster");
      return arena.server.kill();
    },
  },
  "process groups": { ends: true, kill: ({ server }) => server.killGroup() },
};

/** It may just be down from the kill before. */
function signalPostgres({ server }: Arena, whom: "postmaster" | "all"): void {
  if (server.pids().length > 1) server.signalPostgres("SIGKILL", whom);
}

/** Who can be killed. */
export const killWays: readonly string[] = Object.keys(ways);

const momentMsMax = 500;
const startMsMax = 600;

/** Waits a moment that nobody chose, kills, and sees to it that the server runs again. */
export async function killOnce(arena: Arena, way: string): Promise<void> {
  const { kill, ends } = ways[way] as (typeof ways)[string];
  await pause(arena.random.int(momentMsMax));
  await kill(arena);
  arena.figures.add(`kills survived: ${way}`);
  // Every third time it is killed again while it starts.
  if (ends && arena.random.chance(0.3)) {
    arena.server.launch();
    await pause(arena.random.int(startMsMax));
    await arena.server.killGroup();
    arena.figures.add("kills survived: in the middle of a start");
  }
  if (ends) await arena.start();
}
