import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { connectionOf, type PostgresSettings } from "./pool.ts";

const againMs = 2000;
const probeEveryMs = 30_000;

/**
 * Calls `onNotice` for every notice on a channel of PostgreSQL, and once after each connect, because notices of the time before are
 * lost. Connects again for ever; a connection that does not answer is given up. Resolves the returned function when it has ended.
 */
export function listenPostgres(settings: PostgresSettings, channel: string, onNotice: () => void): () => Promise<void> {
  const stopping = new AbortController();
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  async function listenOnce(): Promise<void> {
    const client = new pg.Client(connectionOf(settings));
    const lost = new Promise<void>((resolve) => {
      for (const sign of ["error", "end"] as const) client.on(sign, () => resolve());
    });
    client.on("notification", onNotice);
    try {
      await client.connect();
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      onNotice();
      for (let lasts = true; lasts && !stopping.signal.aborted; ) {
        lasts = await Promise.race([lost.then(() => false), pause(probeEveryMs).then(() => true)]);
        if (lasts && !stopping.signal.aborted) await client.query("select 1");
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  async function keepListening(): Promise<void> {
    while (!stopping.signal.aborted) {
      await listenOnce().catch(() => undefined);
      await pause(againMs);
    }
  }
  const done = keepListening();
  return async () => {
    stopping.abort();
    await done;
  };
}
