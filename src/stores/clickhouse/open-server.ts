import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { type ClickHouseClient, type ClickHouseClientConfigOptions, ClickHouseLogLevel, type ClickHouseSettings, createClient } from "@clickhouse/client";
import pRetry from "p-retry";
import { type Cluster, clusterForm, deleteFromCluster } from "./cluster-ddl.ts";
import { type Connection, namesOf, querySettings } from "./connection.ts";
import { quoted } from "./quoted.ts";

/** A ClickHouse server. */
export interface ServerPlace {
  /** With a user and password in it, or beside it. */
  url: string;
  user?: string;
  password?: string;
  /** Certificates to trust instead of those that Node brings along, PEM. */
  ca?: string;
  /** The tables lie on all servers of a cluster that this one belongs to. */
  cluster?: Cluster;
}

const requestMsMax = 120_000;

/** An error has a status of its own only if nothing was sent before: without it, one in the middle of an answer would look like bad data. */
const serverSettings: ClickHouseSettings = { ...querySettings, wait_end_of_query: 1 };

/**
 * What is written is on most replicas before it is acknowledged, one insert of a shard after the other; then a read can tell that it
 * sees all of it. A subquery on a table reads the rows of its own shard: those that belong together lie together. Shards are not
 * skipped by the hash of what is asked for: were there one day more of them, rows from before would be missed.
 */
const clusterSettings: ClickHouseSettings = {
  insert_quorum: "auto",
  insert_quorum_parallel: 0,
  insert_quorum_timeout: 60_000,
  select_sequential_consistency: "1",
  distributed_foreground_insert: 1,
  distributed_product_mode: "local",
  distributed_ddl_task_timeout: "90",
};

/** A server that is away is not waited for: what ran there cannot write to replicated tables without Keeper. */
const killSettings: ClickHouseSettings = { distributed_ddl_task_timeout: "15", distributed_ddl_output_mode: "null_status_on_timeout" };

/** Opens a database on a ClickHouse server, and makes it where it is missing. */
export async function openServer({ url, user, password, ca, cluster }: ServerPlace, database: string): Promise<Connection> {
  const base: ClickHouseClientConfigOptions = {
    url, request_timeout: requestMsMax, use_multipart_params_auto: true, compression: { request: true, response: true },
    // Whoever asked gets the error; the client would write it to the console with what was asked.
    log: { level: ClickHouseLogLevel.OFF },
    ...(user !== undefined && { username: user }), ...(password !== undefined && { password }), ...(ca !== undefined && { tls: { ca_cert: Buffer.from(ca) } }),
  };
  await createDatabase(base, database, cluster);
  const client = createClient({ ...base, database, clickhouse_settings: { ...serverSettings, ...(cluster && clusterSettings) } });
  const onCluster = cluster ? ` on cluster ${quoted(cluster.name)}` : "";
  return {
    reader: client,
    writer: client,
    settingsOf: ({ mayLag }) => (cluster && mayLag ? { select_sequential_consistency: "0" } : undefined),
    async insertJson(table, rows, { id, token }) {
      await inTurn(async () => client.insert({ table, values: rows, format: "JSONEachRow", query_id: id, ...withToken(cluster, token) }));
    },
    async insertRows(table, columns, chunks, format, { id, token }) {
      const query = `insert into ${table} (${namesOf(columns)}) format ${format}`;
      await inTurn(() => insertStream(client, { query, values: readableOf(chunks()), query_id: id, ...withToken(cluster, token) }));
    },
    async *streamText(text, params) {
      const { stream } = await client.exec({ query: `${text} format TabSeparated`, decompress_response_stream: true, ...(params && { query_params: params }) });
      yield* stream as AsyncIterable<Buffer>;
    },
    define: (statement) => (cluster ? clusterForm(statement, cluster, database) : [statement]),
    deleteFrom: (table) => (cluster ? deleteFromCluster(table, cluster, database) : `delete from ${table}`),
    async kill(condition) {
      await client.command({ query: `kill query${onCluster} where ${condition} sync`, ...(cluster && { clickhouse_settings: killSettings }) });
    },
  };
}

/** Asked for first: a user that may not make databases can be given one that is there. */
async function createDatabase(base: ClickHouseClientConfigOptions, database: string, cluster: Cluster | undefined): Promise<void> {
  const client = createClient(base);
  try {
    const answer = await client.query({ query: "select name from system.databases where name = {database:String}", query_params: { database }, format: "JSONEachRow" });
    if ((await answer.json()).length > 0) return;
    await client.command({ query: `create database if not exists ${database}${cluster ? ` on cluster ${quoted(cluster.name)}` : ""}` });
  } finally {
    await client.close();
  }
}

/** A token is trusted only where the parts and what is remembered of them are written together, and that is on replicas. */
const withToken = (cluster: Cluster | undefined, token: () => string): { clickhouse_settings?: ClickHouseSettings } =>
  cluster ? { clickhouse_settings: { insert_deduplicate: 1, insert_deduplication_token: token() } } : {};

function readableOf(chunks: Iterable<Buffer>): Readable {
  const copies = function* (): Generator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk);
  };
  return Readable.from(copies(), { objectMode: false });
}

/** Read to its end, the answer leaves the connection to the next request. */
async function insertStream(client: ClickHouseClient, insert: Parameters<ClickHouseClient["exec"]>[0]): Promise<void> {
  const { stream } = await client.exec(insert);
  await finished(stream.resume());
}

const turnsMax = 20;
/** Another insert into the shard is on its way to the replicas. */
const notYourTurn = "286";

/** One insert of a shard after the other: several workers take turns. The token lets the shards that have the rows already drop them. */
const inTurn = async (work: () => Promise<unknown>): Promise<void> => {
  await pRetry(work, {
    retries: turnsMax, minTimeout: 20, maxTimeout: 1000, randomize: true,
    shouldRetry: ({ error }) => "code" in error && error.code === notYourTurn,
  });
};
