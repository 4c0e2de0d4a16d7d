/** The event log as a topic of Kafka. */
export interface KafkaSettings {
  brokers: string[];
  topic: string;
  partitions: number;
  replication: number | undefined;
  /** Present when the brokers speak TLS; `caFile` holds the certificates to trust instead of the system's. */
  tls: { caFile: string | undefined } | undefined;
  sasl: { mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"; username: string; password: string } | undefined;
}

/** The settings that are about Kafka, each valid for itself. */
interface Values {
  transport: "local" | "memory" | "kafka";
  kafkaBrokers: string[] | undefined;
  kafkaTopic: string;
  kafkaPartitions: number;
  kafkaReplication: number | undefined;
  kafkaTls: boolean;
  kafkaTlsCaFile: string | undefined;
  kafkaSaslMechanism: "plain" | "scram-sha-256" | "scram-sha-512" | undefined;
  kafkaSaslUsername: string | undefined;
  kafkaSaslPassword: string | undefined;
}

/** Where two of them were found, or undefined where nobody said anything. */
interface From {
  mode: string | undefined;
  brokers: string | undefined;
}

const mechanisms = { plain: "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512" } as const;
const fromEnvironment = (from: string | undefined): boolean => from !== undefined && !from.includes(" ");

/** Brokers make Kafka the log. A mode of the file that says otherwise holds against brokers of the file, as STREAM prints it. */
function isWanted({ transport, kafkaBrokers }: Values, from: From, problems: string[]): boolean {
  if (transport === "kafka") {
    if (kafkaBrokers === undefined) problems.push(`${from.mode}: found "kafka", expected KAFKA_BROKERS or kafka.bootstrap-servers beside it`);
    return true;
  }
  if (kafkaBrokers === undefined || from.mode === undefined) return kafkaBrokers !== undefined;
  if (!fromEnvironment(from.brokers)) return false;
  if (fromEnvironment(from.mode)) problems.push(`${from.mode}: found ${JSON.stringify(transport)} beside KAFKA_BROKERS; unset one of them`);
  return true;
}

function saslOf({ kafkaSaslMechanism: mechanism, kafkaSaslUsername: username, kafkaSaslPassword: password }: Values, problems: string[]): KafkaSettings["sasl"] {
  const given = [mechanism, username, password].filter((one) => one !== undefined).length;
  if (given === 0) return undefined;
  if (mechanism === undefined || username === undefined || password === undefined) {
    problems.push("KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD: expected all three or none");
    return undefined;
  }
  return { mechanism: mechanisms[mechanism], username, password };
}

/** Puts the settings about Kafka together; what does not fit together goes to `problems`. Undefined: the log is local. */
export function kafkaSettings(values: Values, from: From, problems: string[]): KafkaSettings | undefined {
  if (values.kafkaTlsCaFile !== undefined && !values.kafkaTls) problems.push("KAFKA_TLS_CA_FILE: expected KAFKA_TLS=true beside it");
  const sasl = saslOf(values, problems);
  if (!isWanted(values, from, problems)) return undefined;
  return {
    brokers: values.kafkaBrokers ?? [], topic: values.kafkaTopic, partitions: values.kafkaPartitions, replication: values.kafkaReplication,
    tls: values.kafkaTls ? { caFile: values.kafkaTlsCaFile } : undefined, sasl,
  };
}
