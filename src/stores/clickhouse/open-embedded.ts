import { mkdir, open, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createClient, type ClickHouseClient, type ClickHouseClientConfigOptions } from "@clickhouse/client";
import { Session } from "chdb";
import { createChdbConnection } from "chdb/connection";
import { type Connection, namesOf, querySettings } from "./connection.ts";
import { quoted } from "./quoted.ts";

/** The engine in this process. A connection does one thing at a time, so reading has one of its own: a look-up would wait for an insert. */
export async function openEmbedded(path: string, database: string): Promise<Connection> {
  const writer = await connect(path, database);
  const reader = await connect(path, database);
  const files = resolve(path, "user_files");
  await rm(files, { recursive: true, force: true });
  await mkdir(files, { recursive: true });
  let inserts = 0;
  return {
    reader,
    writer,
    settingsOf: () => undefined,
    async insertJson(table, rows) {
      await writer.insert({ table, values: rows, format: "JSONEachRow" });
    },
    // By way of a file that is gone before it is on disk: the only way in for binary rows, which cost half of what text does.
    async insertRows(table, columns, chunks, format) {
      const file = join(files, `${++inserts}.rows`);
      try {
        await writeFile(file, chunks());
        const structure = columns.map(([name, type]) => `${name} ${type}`).join(", ");
        await writer.command({
          query: `insert into ${table} (${namesOf(columns)}) select * from file(${quoted(file)}, ${format}, ${quoted(structure)}) settings max_threads = 1`,
        });
      } finally {
        await rm(file, { force: true });
      }
    },
    // The client's interface gives a result as a whole; a session of the engine's own gives it block by block.
    async *streamText(text, params) {
      const session = new Session(path);
      try {
        for (const statement of statementsFor(database)) session.query(statement);
        const blocks = params ? session.queryStreamBind(text, params, { format: "TabSeparated" }) : session.queryStream(text, { format: "TabSeparated" });
        for await (const block of blocks) yield block.raw();
      } finally {
        session.close();
      }
    },
    define: (statement) => [statement],
    deleteFrom: (table) => `delete from ${table}`,
    kill: undefined,
  };
}

/** Settings hold for the connection: sent with an insert, the engine would parse its rows as statements (measured: twice the time). */
async function connect(path: string, database: string): Promise<ClickHouseClient> {
  // The two packages carry their own copies of one and the same interface.
  const client = createClient({ connection: createChdbConnection({ path }) } as unknown as ClickHouseClientConfigOptions);
  await client.command({ query: `create database if not exists ${database}` });
  for (const query of statementsFor(database)) await client.command({ query });
  return client;
}

const statementsFor = (database: string): string[] => [`use ${database}`, ...Object.entries(querySettings).map(([name, value]) => `set ${name} = ${value}`)];

async function writeFile(path: string, chunks: Iterable<Buffer>): Promise<void> {
  const file = await open(path, "wx");
  try {
    for (const chunk of chunks) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}
