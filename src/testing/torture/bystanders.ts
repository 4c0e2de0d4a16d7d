import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "../server-client.ts";
import { until } from "../server-process.ts";
import type { Arena } from "./arena.ts";

/** Somebody who has nothing to do with an attack. */
export interface Bystander {
  who: string;
  client: Client;
}

export interface BystanderWatch {
  /** Resolves when the last event under way was seen. */
  stop(): Promise<void>;
}

const pauseMs = 250;

/**
 * Sends an event of a new customer for each bystander, again and again, and notes how long it takes until the profile is there,
 * from sending on; demands that none takes longer than `msMax`.
 */
export function watchBystanders(arena: Arena, bystanders: readonly Bystander[], msMax: number): BystanderWatch {
  let stopped = false;
  const follow = async ({ who, client }: Bystander): Promise<void> => {
    for (let n = 0; n === 0 || !stopped; n++) {
      const userId = `bystander-${n}-${arena.random.int(1e9)}`;
      const began = performance.now();
      await until(`a bystander's event is accepted (${who})`, async () => (await client.post("/api/cdp/events", { type: "Seen", userId })).status === 202);
      await until(`a bystander's profile is there (${who})`, async () => (await client.lookup("external_id", userId)) !== undefined);
      const ms = performance.now() - began;
      arena.figures.time(`waited for by ${who}`, ms);
      arena.demand(ms <= msMax, `${who} had to wait ${(ms / 1000).toFixed(1)} s for an event`);
      await pause(pauseMs);
    }
  };
  const following = Promise.all(bystanders.map(follow));
  following.catch(() => undefined);
  return {
    async stop() {
      stopped = true;
      await following;
    },
  };
}
