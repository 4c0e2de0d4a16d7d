// Starts an engine behind ClickHouse's HTTP interface and runs a command with TEST_CLICKHOUSE_URL set to it: the tests of history then
// use it instead of the engine in their own process. With --cluster they make their tables as on a cluster. Without a command it
// prints the URL, which CLICKHOUSE_URL takes as well, and runs until it is interrupted.
//
//   node tools/clickhouse.ts [--cluster] [-- command argument …]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { clusterAlone, startClickhouseServer } from "../src/testing/clickhouse-server.ts";

const { values, positionals } = parseArgs({ options: { cluster: { type: "boolean", default: false } }, allowPositionals: true });
const [command, ...rest] = positionals;

const server = await startClickhouseServer();
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort());

try {
  if (command === undefined) {
    console.log(`CLICKHOUSE_URL=${server.url}`);
    // Signals alone do not keep a process running.
    const timer = setInterval(() => undefined, 60_000);
    await once(ending.signal, "abort");
    clearInterval(timer);
  } else {
    const env = { ...process.env, TEST_CLICKHOUSE_URL: server.url, ...(values.cluster && { TEST_CLICKHOUSE_CLUSTER: clusterAlone }) };
    const child = spawn(command, rest, { stdio: "inherit", env });
    ending.signal.addEventListener("abort", () => child.kill());
    const [code] = (await once(child, "exit")) as [number | null];
    process.exitCode = code ?? 1;
  }
} finally {
  await server.remove();
}
