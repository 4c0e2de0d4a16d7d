import pRetry from "p-retry";
import pg from "pg";
import type { Db, Queries, Tx } from "./db.ts";
import { createTransactionQueries, refuseEnded } from "./transaction-queries.ts";
import { isContention } from "./sqlstates.ts";
import { valueParsers } from "./value-parsers.ts";

const poolMaxDefault = 10;
const connectMsMax = 10_000;
const statementMsMax = 30_000;
const idleInTransactionMsMax = 30_000;
const retriesMax = 8;

/** Where PostgreSQL is. `url` wins over the single fields; a `host` that starts with `/` is the directory of a Unix socket. */
export interface PostgresSettings {
  url?: string;
  host?: string;
  port?: number;
  user?: string;
  password?: string;
  database?: string;
  /** Connections at most; 10 when absent. */
  poolMax?: number;
  applicationName?: string;
}

function poolConfig(settings: PostgresSettings): pg.PoolConfig {
  const { url, poolMax = poolMaxDefault, applicationName = "tributary", ...place } = settings;
  return {
    ...(url === undefined ? place : { connectionString: url }),
    max: poolMax,
    application_name: applicationName,
    connectionTimeoutMillis: connectMsMax,
    statement_timeout: statementMsMax,
    idle_in_transaction_session_timeout: idleInTransactionMsMax,
    keepAlive: true,
    types: valueParsers,
  };
}

/** Without a listener a lost connection would end the process. Whoever uses the connection gets the error from the query. */
function tolerateLostConnections(pool: pg.Pool): void {
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
}

/** COMMIT of a transaction in which a failed statement was swallowed answers ROLLBACK, without an error of its own. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query("commit");
  if (command !== "COMMIT") throw new Error("The transaction was rolled back: a statement in it had failed and its error was swallowed.");
}

/**
 * Opens a pool of connections; none is made before the first query. Errors keep PostgreSQL's SQLSTATE in `code`, see
 * `isOutage` and `isBadData`. Statements, and transactions left idle, end after 30 s.
 */
export function connectPostgres(settings: PostgresSettings): Db {
  const pool = new pg.Pool(poolConfig(settings));
  tolerateLostConnections(pool);
  const open = new WeakMap<Tx, Queries>();
  let closing: Promise<void> | undefined;

  async function runOnce<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    const tx = {} as Tx;
    const queries = createTransactionQueries(client);
    open.set(tx, queries);
    let broken = false;
    try {
      await client.query("begin isolation level read committed");
      const result = await work(tx);
      await queries.end();
      await commit(client);
      return result;
    } catch (error) {
      await queries.end();
      broken = await client.query("rollback").then(() => false, () => true);
      throw error;
    } finally {
      open.delete(tx);
      client.release(broken);
    }
  }

  return {
    async query<Row>(text: string, values?: unknown[]) {
      return (await pool.query(text, values)).rows as Row[];
    },
    transaction: (work) =>
      pRetry(() => runOnce(work), {
        retries: retriesMax, minTimeout: 10, maxTimeout: 500, randomize: true, shouldRetry: ({ error }) => isContention(error),
      }),
    in: (tx) => open.get(tx) ?? refuseEnded(),
    async check() {
      await pool.query("select 1");
    },
    close: () => (closing ??= pool.end()),
  };
}
