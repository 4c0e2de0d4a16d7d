import { isIP } from "node:net";
import { Admin } from "@platformatic/kafka";
import type { Connection } from "@platformatic/kafka";

/** How a Kafka cluster is reached. */
export interface KafkaAccess {
  /** `host:port` of some of its brokers; they know the others. */
  brokers: string[];
  /** Present when brokers speak TLS; without `ca` the system's certificates decide. */
  tls?: { ca?: string };
  sasl?: { mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"; username: string; password: string };
}

/** Connections of its own to each broker, for one topic. A connection answers its requests one after the other. */
export interface Brokers {
  readonly admin: Admin;
  /** The broker that leads the partition, connected. */
  leaderOf(partition: number): Promise<Connection>;
  /** Forgets who leads what: something failed, and it may be that. */
  forget(): void;
  close(): Promise<void>;
}

/** A frozen broker is known by its silence; the leader of its partitions changes after 9 s by Kafka's default. */
const requestMsMax = 4000;
const connectMsMax = 3000;
const metadataMsMax = 5000;
const otherBrokersTried = 2;

/** Proxies in front of brokers tell them apart by the name asked for, which TLS has for names only. */
const areNames = (brokers: readonly string[]): boolean => brokers.every((broker) => isIP(broker.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")) === 0);

export const connectAdmin = ({ brokers, tls, sasl }: KafkaAccess): Admin => {
  const admin = new Admin({
    clientId: "tributary", bootstrapBrokers: brokers, requestTimeout: requestMsMax, timeout: requestMsMax, connectTimeout: connectMsMax,
    metadataMaxAge: metadataMsMax, maxInflights: 1000, retries: otherBrokersTried, retryDelay: 100, autocreateTopics: false,
    ...(tls && { tls: { ...(tls.ca !== undefined && { ca: tls.ca }) }, tlsServerName: areNames(brokers) }), ...(sasl && { sasl }),
  });
  // The pool listens to the first error of a connection only. A second one, such as a reset after a refused login, would find no
  // listener and end the process.
  admin.connections.on("connecting", ({ connection }) => void connection.on("error", () => undefined));
  return admin;
};

/** `topicId` is the topic this is about: one of the same name that was made anew has other positions and is refused. */
export function connectBrokers(access: KafkaAccess, topic: string, topicId: string): Brokers {
  const admin = connectAdmin(access);
  return {
    admin,
    async leaderOf(partition) {
      const metadata = await admin.metadata({ topics: [topic] });
      const found = metadata.topics.get(topic);
      if (found?.id !== topicId) throw new Error(`the topic ${topic} was deleted and made anew: its positions mean other events now`);
      const leader = metadata.brokers.get(found.partitions[partition]?.leader ?? -1);
      if (leader === undefined) throw new Error(`partition ${partition} of ${topic} has no leader at the moment`);
      return admin.connections.get(leader);
    },
    forget: () => admin.clearMetadata(),
    close: () => admin.close(),
  };
}
