// Starts Apache Kafka on loopback ports and runs a command with KAFKA_BROKERS set to it; without a command it prints the value and
// runs until it is interrupted. Its jars come from Maven Central (or MAVEN_URL) once, into the system's temporary directory.
//
//   node tools/kafka.ts [--brokers 1|3] [-- command argument …]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { startKafkaCluster } from "../src/testing/kafka-cluster.ts";

const { values, positionals } = parseArgs({ options: { brokers: { type: "string", default: "1" } }, allowPositionals: true });
const [command, ...rest] = positionals;

const cluster = await startKafkaCluster(Number(values.brokers));
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort());

try {
  if (command === undefined) {
    console.log(`KAFKA_BROKERS=${cluster.addresses}`);
    // Signals alone do not keep a process running.
    const timer = setInterval(() => undefined, 60_000);
    await once(ending.signal, "abort");
    clearInterval(timer);
  } else {
    const child = spawn(command, rest, { stdio: "inherit", env: { ...process.env, KAFKA_BROKERS: cluster.addresses } });
    ending.signal.addEventListener("abort", () => child.kill());
    const [code] = (await once(child, "exit")) as [number | null];
    process.exitCode = code ?? 1;
  }
} finally {
  await cluster.stop();
}
