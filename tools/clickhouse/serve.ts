// A process that speaks ClickHouse's HTTP interface and answers by the engine of the npm package chdb: what Tributary needs of a
// server, for tests and for trying CLICKHOUSE_URL. It is no ClickHouse server; see CONTRIBUTING.md for what it leaves out.
//
//   node tools/clickhouse/serve.ts DIRECTORY [--port 8123] [--user default] [--password …]
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createAnswerer } from "./answer-request.ts";
import { openEngine } from "./engine.ts";

const { values, positionals } = parseArgs({
  options: { port: { type: "string", default: "8123" }, user: { type: "string", default: "default" }, password: { type: "string", default: "" } },
  allowPositionals: true,
});
const [dir] = positionals;
if (dir === undefined) throw new Error("say in which directory the data is kept");

/** A cluster of this process alone, so that `Distributed` tables find their one shard, and a Keeper in memory, by which replicated ones can be made. */
const config = `<clickhouse>
  <tcp_port>9000</tcp_port>
  <zookeeper><implementation>testkeeper</implementation></zookeeper>
  <macros><shard>01</shard><replica>alone</replica></macros>
  <remote_servers><alone><shard><internal_replication>true</internal_replication>
    <replica><host>127.0.0.1</host><port>9000</port></replica></shard></alone></remote_servers>
</clickhouse>
`;
const connections = 4;

const data = resolve(dir, "data");
const rows = resolve(dir, "rows");
rmSync(rows, { recursive: true, force: true });
for (const folder of [data, rows]) mkdirSync(folder, { recursive: true });
const configFile = join(resolve(dir), "config.xml");
writeFileSync(configFile, config);

const engine = openEngine(data, connections, [`--config-file=${configFile}`]);
const answer = createAnswerer({ engine, dir: rows, user: values.user, password: values.password });
const server = createServer((request, response) => void answer(request, response)).listen(Number(values.port), "127.0.0.1");
await once(server, "listening");
console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close(() => {
      engine.close();
      process.exit(0);
    });
    server.closeAllConnections();
  });
}
