import { finished } from "node:stream/promises";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import type { Session } from "./db.ts";

/** A reader that stands still must not keep a snapshot, or a lock, for ever. */
const idleMsMax = 600_000;

/** Runs `work` on a new connection, which is closed afterwards: what it left open is rolled back. */
export async function runSession<T>(config: pg.ClientConfig, work: (session: Session) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...config, statement_timeout: 0, query_timeout: 0, idle_in_transaction_session_timeout: idleMsMax });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work({
      query: async <Row>(text: string, values?: unknown[]) => (await client.query(text, values)).rows as Row[],
      copyOut: (statement) => client.query(copyTo(statement)) as AsyncIterable<Buffer>,
      async copyIn(statement, bytes) {
        const into = client.query(copyFrom(statement));
        const ended = finished(into);
        // What failed is told by `finished`; waiting for room alone would wait for ever.
        ended.catch(() => undefined);
        try {
          for await (const chunk of bytes) if (!into.write(chunk)) await Promise.race([drained(into), ended]);
        } catch (error) {
          into.destroy(error as Error);
        }
        into.end();
        await ended;
      },
    });
  } finally {
    await client.end();
  }
}

const drained = (stream: NodeJS.EventEmitter): Promise<void> => new Promise((resolve) => void stream.once("drain", () => resolve()));
