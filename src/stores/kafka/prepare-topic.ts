import { ConfigResourceTypes, findErrorBy } from "@platformatic/kafka";
import type { Admin, ClusterTopicMetadata } from "@platformatic/kafka";
import type { Logger } from "../../contracts/logger.ts";

export interface TopicWanted {
  name: string;
  /** For a topic that is not there yet. */
  partitions: number;
  /** Copies of each partition of a topic that is not there yet; else three, or as many as there are brokers. */
  replication?: number | undefined;
}

export interface Topic {
  /** Given by the cluster when the topic was made; a topic of the same name made anew gets another. */
  id: string;
  partitions: number;
  /** The largest batch that the topic takes. */
  batchBytesMax: number;
  /** So many copies must have a record before it counts as kept. */
  inSyncMin: number;
}

const replicationUsual = 3;
const batchBytesUsual = 16_777_216;
const batchBytesOfKafka = 1_048_588;
const madeWithinMs = 20_000;

/**
 * Nothing is removed but what was processed, which the log sees to itself; segments are small so that it frees their space soon.
 * Two copies on disk or in two machines' memory survive the loss of one machine.
 */
const configsOf = (replication: number): { name: string; value: string }[] => Object.entries({
  "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "compression.type": "producer",
  "segment.bytes": "134217728", "max.message.bytes": String(batchBytesUsual), "min.insync.replicas": replication >= 2 ? "2" : "1",
  "unclean.leader.election.enable": "false",
}).map(([name, value]) => ({ name, value }));

async function find(admin: Admin, name: string): Promise<ClusterTopicMetadata | undefined> {
  try {
    return (await admin.metadata({ topics: [name], forceUpdate: true })).topics.get(name);
  } catch (error) {
    // The library's own words for a topic that is not there: it hides the broker's code.
    if (error instanceof Error && error.message.startsWith("Unknown topic")) return undefined;
    throw error;
  }
}

async function create(admin: Admin, wanted: TopicWanted): Promise<void> {
  const { brokers } = await admin.metadata({ topics: [], forceUpdate: true });
  const replication = wanted.replication ?? Math.min(replicationUsual, brokers.size);
  try {
    await admin.createTopics({ topics: [wanted.name], partitions: wanted.partitions, replicas: replication, configs: configsOf(replication) });
  } catch (error) {
    // Another process was faster.
    if (!findErrorBy(error as Error, "apiId", "TOPIC_ALREADY_EXISTS")) throw error;
  }
}

/** A topic just made is not known to all brokers at once, nor led by one. */
async function untilLed(admin: Admin, name: string, pause: (ms: number) => Promise<void>): Promise<ClusterTopicMetadata> {
  for (let waitedMs = 0; waitedMs < madeWithinMs; waitedMs += 200) {
    const found = await find(admin, name).catch((error: unknown) => {
      if (!findErrorBy(error as Error, "hasStaleMetadata", true)) throw error;
      return undefined;
    });
    if (found?.partitions.every(({ leader }) => leader >= 0)) return found;
    await pause(200);
  }
  throw new Error(`the topic ${name} was made, but no broker leads it`);
}

async function readConfigs(admin: Admin, name: string): Promise<Map<string, string>> {
  const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: name, configurationKeys: null }];
  const [described] = await admin.describeConfigs({ resources });
  return new Map(described?.configs.map((config) => [config.name, config.value ?? ""]));
}

/** What an operator should know about a topic that he made himself. Throws when it cannot be a log at all. */
export function judgeConfigs(name: string, configs: ReadonlyMap<string, string>, copies: number): string[] {
  if (configs.get("cleanup.policy")?.includes("compact")) throw new Error(`the topic ${name} is compacted, which removes events: set cleanup.policy=delete`);
  const warnings: string[] = [];
  const forever = configs.get("retention.ms") === "-1" && configs.get("retention.bytes") === "-1";
  if (configs.has("retention.ms") && !forever) {
    warnings.push(`its retention (retention.ms=${configs.get("retention.ms")}, retention.bytes=${configs.get("retention.bytes")}) may remove events that were not processed yet; set both to -1`);
  }
  if (configs.get("unclean.leader.election.enable") === "true") warnings.push("unclean.leader.election.enable=true may lose accepted events");
  if (copies < 2) warnings.push("it has one copy only: events are lost with its broker");
  else if (configs.get("min.insync.replicas") === "1") warnings.push("min.insync.replicas=1: events may be lost with one broker; set 2");
  return warnings;
}

/** Finds the topic, or makes it. */
export async function prepareTopic(admin: Admin, wanted: TopicWanted, logger: Logger, pause: (ms: number) => Promise<void>): Promise<Topic> {
  const { name } = wanted;
  let found = await find(admin, name);
  if (found === undefined) {
    await create(admin, wanted);
    found = await untilLed(admin, name, pause);
  }
  // Before Kafka 2.8 the library gives the name instead.
  if (!/^[0-9a-f-]{36}$/.test(found.id) || /^[0-]*$/.test(found.id)) throw new Error(`the cluster gives the topic ${name} no id: Kafka 3.0 or later is needed`);
  const copies = found.partitions[0]?.replicas.length ?? 1;
  const configs = await readConfigs(admin, name).catch((error: unknown) => {
    logger.warn({ topic: name, error: String(error) }, "the settings of the topic cannot be read; Kafka's defaults are assumed");
    return new Map<string, string>();
  });
  for (const warning of judgeConfigs(name, configs, copies)) logger.warn({ topic: name }, `the topic of the event log: ${warning}`);
  if (found.partitionsCount !== wanted.partitions) {
    logger.warn({ topic: name, partitions: found.partitionsCount, wanted: wanted.partitions }, "the topic has another number of partitions than the settings say; it stays as it is");
  }
  return {
    id: found.id, partitions: found.partitionsCount,
    batchBytesMax: Number(configs.get("max.message.bytes") ?? batchBytesOfKafka),
    inSyncMin: Number(configs.get("min.insync.replicas") ?? 1),
  };
}
