import pRetry from "p-retry";
import pg from "pg";
import type { Db, Queries, Tx } from "./db.ts";
import { runSession } from "./session.ts";
import { createTransactionQueries, refuseEnded } from "./transaction-queries.ts";
import { isContention } from "./sqlstates.ts";
import { valueParsers } from "./value-parsers.ts";

const poolMaxDefault = 10;
const connectMsMax = 10_000;
/** Reads have someone waiting: they get a connection and an answer in this time, or fail as in an outage. */
const readConnectMsMax = 3_000;
const readMsMax = 5_000;
/** A connection without work stays this long: making one anew costs more than many reads. */
const idleMsMax = 60_000;
/** Texts that are prepared on each connection; there are that few, because values are never part of one. */
const preparedMax = 200;
const statementMsMax = 30_000;
/** The server ends a statement at its time; one that is silent this much longer hangs, and so does a connection whose other end is gone. */
const hungMsMax = 2_000;
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

/** What a connection of its own is made with. */
export function connectionOf(settings: PostgresSettings): pg.ClientConfig {
  const { url, poolMax: _, applicationName = "tributary", ...place } = settings;
  return {
    ...(url === undefined ? place : { connectionString: url }),
    application_name: applicationName,
    connectionTimeoutMillis: connectMsMax,
    statement_timeout: statementMsMax,
    query_timeout: statementMsMax + hungMsMax,
    idle_in_transaction_session_timeout: idleInTransactionMsMax,
    keepAlive: true,
    types: valueParsers,
    options: byIndex,
  };
}

const poolConfig = (settings: PostgresSettings): pg.PoolConfig & { max: number } => ({
  ...connectionOf(settings),
  max: settings.poolMax ?? poolMaxDefault,
  idleTimeoutMillis: idleMsMax,
});

/**
 * All that is asked for is looked up by key, for one row or for thousands. For thousands the planner would rather read a whole
 * table and hash it (measured: 58 µs a row instead of 5), and a plan that is kept may be of a time when the table was all but
 * empty. Hash joins stay: for a table that is taken for smaller than it is, the only other plan compares every row with every key.
 */
const byIndex = "-c enable_seqscan=off -c random_page_cost=1.1";

/** For single statements. */
const readPoolConfig = (config: pg.PoolConfig): pg.PoolConfig => ({
  ...config,
  connectionTimeoutMillis: readConnectMsMax,
  statement_timeout: readMsMax,
  query_timeout: readMsMax + hungMsMax,
});

/** The name under which a text is prepared: the server parses and plans it once a connection, instead of each time. */
function createStatementNames(): (text: string) => string | undefined {
  const names = new Map<string, string>();
  return function nameOf(text) {
    const known = names.get(text);
    if (known !== undefined || names.size >= preparedMax) return known;
    const name = `read_${names.size}`;
    names.set(text, name);
    return name;
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
 * `isOutage` and `isBadData`. Statements, and transactions left idle, end after 30 s; single statements outside a transaction
 * after 5 s, waiting for a connection not included. They have connections of their own, so that neither waits for the other.
 */
export function connectPostgres(settings: PostgresSettings): Db {
  const config = poolConfig(settings);
  const pool = new pg.Pool(config);
  const readPool = config.max > 1 ? new pg.Pool(readPoolConfig(config)) : pool;
  for (const one of new Set([pool, readPool])) tolerateLostConnections(one);
  const nameOf = createStatementNames();
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
      const name = values && nameOf(text);
      return (await readPool.query({ text, ...(values && { values }), ...(name !== undefined && { name }) })).rows as Row[];
    },
    transaction: (work) =>
      pRetry(() => runOnce(work), {
        retries: retriesMax, minTimeout: 10, maxTimeout: 500, randomize: true, shouldRetry: ({ error }) => isContention(error),
      }),
    session: (work) => runSession(config, work),
    in: (tx) => open.get(tx) ?? refuseEnded(),
    async check() {
      await readPool.query("select 1");
    },
    close: () => (closing ??= Promise.all([...new Set([pool, readPool])].map((one) => one.end())).then(() => undefined)),
  };
}
