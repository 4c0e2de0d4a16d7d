import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connectAdmin, type KafkaAccess } from "../stores/kafka/connect-brokers.ts";
import { fetchKafkaJars } from "./kafka-jars.ts";

/** One broker of a cluster, a process of its own. */
export interface KafkaBroker {
  readonly address: string;
  readonly id: number;
  /** Starts it, and resolves when it takes part in the cluster. */
  start(): Promise<void>;
  /** `kill` with a signal, SIGKILL unless another is named; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops its work without ending it, or lets it go on. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
}

export interface KafkaCluster {
  /** For KAFKA_BROKERS. */
  readonly addresses: string;
  readonly brokers: readonly KafkaBroker[];
  /** A listener with TLS that asks for a login. */
  readonly guarded: KafkaAccess & Required<Pick<KafkaAccess, "sasl">>;
  /** Ends all brokers and removes what they wrote. */
  stop(): Promise<void>;
}

const clusterId = "dHJpYnV0YXJ5LXRlc3RzMQ";
const heap = ["-Xms64m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
const startMsMax = 90_000;
const outputMax = 20_000;

async function findFreePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(probes.map((probe) => once(probe, "listening")));
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => once(probe.close(), "close")));
  return ports;
}

interface Node {
  id: number;
  port: number;
  guardedPort: number;
  controllerPort: number;
}

const login = { mechanism: "PLAIN" as const, username: "tributary", password: "a-password-of-tests" };

/** A key that lasts for the test, and the certificate to trust. Java brings the tool along. */
function makeCertificate(dir: string): string {
  const store = ["-alias", "broker", "-storetype", "PKCS12", "-keystore", join(dir, "broker.p12"), "-storepass", "changeit"];
  execFileSync("keytool", ["-genkeypair", "-keyalg", "RSA", "-dname", "CN=broker", "-ext", "san=ip:127.0.0.1", "-validity", "30", ...store], { stdio: "pipe" });
  return execFileSync("keytool", ["-exportcert", "-rfc", ...store], { stdio: "pipe" }).toString();
}

const guardedProperties = (dir: string): Record<string, string> => ({
  "listener.name.guarded.ssl.keystore.type": "PKCS12", "listener.name.guarded.ssl.keystore.location": join(dir, "broker.p12"),
  "listener.name.guarded.ssl.keystore.password": "changeit", "listener.name.guarded.sasl.enabled.mechanisms": login.mechanism,
  "listener.name.guarded.plain.sasl.jaas.config":
    `org.apache.kafka.common.security.plain.PlainLoginModule required user_${login.username}="${login.password}";`,
});

function propertiesOf({ id, port, guardedPort, controllerPort }: Node, nodes: readonly Node[], dir: string): string {
  const copies = Math.min(3, nodes.length);
  const listeners = `PLAINTEXT://127.0.0.1:${port},GUARDED://127.0.0.1:${guardedPort}`;
  return Object.entries({
    "process.roles": "broker,controller", "node.id": id,
    "controller.quorum.voters": nodes.map((node) => `${node.id}@127.0.0.1:${node.controllerPort}`).join(","),
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controllerPort}`, "advertised.listeners": listeners,
    "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_SSL", ...guardedProperties(dir),
    "log.dirs": join(dir, `node-${id}`), "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": copies, "offsets.topic.num.partitions": 1, "transaction.state.log.replication.factor": copies,
    "share.coordinator.state.topic.replication.factor": copies, "num.network.threads": 2, "num.io.threads": 4,
    // Its default would be half of the heap.
    "log.cleaner.dedupe.buffer.size": 4_194_304,
  }).map(([name, value]) => `${name}=${value}\n`).join("");
}

async function untilReady(broker: Node, ended: () => string | undefined): Promise<void> {
  for (const until = Date.now() + startMsMax; Date.now() < until; await pause(200)) {
    const output = ended();
    if (output !== undefined) throw new Error(`broker ${broker.id} ended:\n${output}`);
    const admin = connectAdmin({ brokers: [`127.0.0.1:${broker.port}`] });
    try {
      if ((await admin.metadata({ topics: [] })).brokers.has(broker.id)) return;
    } catch {
      // It does not listen yet, or knows no controller.
    } finally {
      await admin.close();
    }
  }
  throw new Error(`broker ${broker.id} was not ready after ${startMsMax} ms`);
}

function createBroker(node: Node, dir: string, classpath: string): KafkaBroker {
  let child: ChildProcess | undefined;
  return {
    id: node.id,
    address: `127.0.0.1:${node.port}`,
    async start() {
      let output = "";
      let hasEnded = false;
      const log = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error";
      const started = spawn("java", [...heap, log, "-cp", classpath, "kafka.Kafka", join(dir, `node-${node.id}.properties`)], { stdio: ["ignore", "pipe", "pipe"] });
      child = started;
      for (const stream of [started.stdout, started.stderr]) stream.on("data", (bytes: Buffer) => { output = (output + bytes.toString()).slice(-outputMax); });
      started.once("exit", () => { hasEnded = true; });
      started.once("error", (error) => {
        output += error.message;
        hasEnded = true;
      });
      await untilReady(node, () => (hasEnded ? output : undefined));
    },
    async kill(signal = "SIGKILL") {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const gone = once(running, "exit");
      running.kill(signal);
      await gone;
    },
    signal: (name) => void child?.kill(name),
  };
}

/** Starts a cluster of one or three brokers on loopback ports, each of which is a controller too. Needs Java 17 or later. */
export async function startKafkaCluster(brokersWanted: number): Promise<KafkaCluster> {
  const classpath = join(await fetchKafkaJars(), "*");
  const dir = await mkdtemp(join(tmpdir(), "tributary-kafka-data-"));
  const ca = makeCertificate(dir);
  const ports = await findFreePorts(brokersWanted * 3);
  const nodes = Array.from({ length: brokersWanted }, (_, at): Node => {
    const [port = 0, guardedPort = 0, controllerPort = 0] = ports.slice(at * 3);
    return { id: at + 1, port, guardedPort, controllerPort };
  });
  const brokers = nodes.map((node) => createBroker(node, dir, classpath));
  const stop = async (): Promise<void> => {
    await Promise.all(brokers.map((broker) => broker.kill()));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    for (const node of nodes) {
      const file = join(dir, `node-${node.id}.properties`);
      await writeFile(file, propertiesOf(node, nodes, dir));
      execFileSync("java", [...heap, "-cp", classpath, "kafka.tools.StorageTool", "format", "-t", clusterId, "-c", file], { stdio: "pipe" });
    }
    await Promise.all(brokers.map((broker) => broker.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const guarded = { brokers: nodes.map(({ guardedPort }) => `127.0.0.1:${guardedPort}`), tls: { ca }, sasl: login };
  return { addresses: brokers.map(({ address }) => address).join(","), brokers, guarded, stop };
}
