import { describe, expect, test } from "vitest";
import { settingsFrom, SettingsError, type Settings } from "./settings.ts";

const kafkaOf = (env: Record<string, string>, yamlText = ""): Settings["kafka"] => settingsFrom(env, yamlText, "/srv/app").kafka;
function problemsOf(env: Record<string, string>, yamlText = ""): string[] {
  try {
    kafkaOf(env, yamlText);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}
const plain = { topic: "cdp-events", partitions: 1, replication: undefined, tls: undefined, sasl: undefined };

describe("Kafka is the log", () => {
  test("with KAFKA_BROKERS alone", () => {
    expect(kafkaOf({ KAFKA_BROKERS: "a:9092, b:9093,[::1]:9094" })).toEqual({ ...plain, brokers: ["a:9092", "b:9093", "[::1]:9094"] });
  });

  test("with the keys of the file, nested as STREAM prints them", () => {
    const yamlText = "transport: { mode: kafka }\nspring: { kafka: { bootstrap-servers: 'localhost:19092', topics: { cdp-events: mine } } }";
    expect(kafkaOf({}, yamlText)).toEqual({ ...plain, brokers: ["localhost:19092"], topic: "mine" });
    expect(kafkaOf({}, "kafka.bootstrap-servers: a:9092")).toEqual({ ...plain, brokers: ["a:9092"] });
  });

  test("with KAFKA_BROKERS, whatever mode the file names", () => {
    expect(kafkaOf({ KAFKA_BROKERS: "a:1" }, "transport.mode: memory\nkafka.bootstrap-servers: b:2")).toEqual({ ...plain, brokers: ["a:1"] });
  });

  test("with everything said", () => {
    const env = {
      KAFKA_BROKERS: "a:1", KAFKA_TOPIC: "t", KAFKA_PARTITIONS: "12", KAFKA_REPLICATION: "3", KAFKA_TLS: "true", KAFKA_TLS_CA_FILE: "ca.pem",
      KAFKA_SASL_MECHANISM: "SCRAM-SHA-512", KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p",
    };
    expect(kafkaOf(env)).toEqual({
      brokers: ["a:1"], topic: "t", partitions: 12, replication: 3, tls: { caFile: "/srv/app/ca.pem" }, sasl: { mechanism: "SCRAM-SHA-512", username: "u", password: "p" },
    });
  });
});

test.each([
  [{}, ""],
  [{}, "transport.mode: memory\nkafka.bootstrap-servers: a:9092"],
  [{ KAFKA_TOPIC: "t", KAFKA_PARTITIONS: "3" }, ""],
])("%j and %j leave the log local", (env, yamlText) => {
  expect(kafkaOf(env, yamlText)).toBeUndefined();
});

test.each([
  [{ KAFKA_BROKERS: "a" }, 'KAFKA_BROKERS: found "a", expected a list of host:port, separated by commas'],
  [{ KAFKA_BROKERS: "a:1,,b:2" }, 'KAFKA_BROKERS: found "a:1,,b:2", expected a list of host:port, separated by commas'],
  [{ KAFKA_BROKERS: "a:70000" }, 'KAFKA_BROKERS: found "a:70000", expected a list of host:port, separated by commas'],
  [{ TRANSPORT_MODE: "kafka" }, 'TRANSPORT_MODE: found "kafka", expected KAFKA_BROKERS or kafka.bootstrap-servers beside it'],
  [{ TRANSPORT_MODE: "local", KAFKA_BROKERS: "a:1" }, 'TRANSPORT_MODE: found "local" beside KAFKA_BROKERS; unset one of them'],
  [{ KAFKA_BROKERS: "a:1", KAFKA_TOPIC: "a b" }, 'KAFKA_TOPIC: found "a b", expected a topic name: up to 249 letters, digits, dots, hyphens and underscores'],
  [{ KAFKA_BROKERS: "a:1", KAFKA_TLS: "yes" }, 'KAFKA_TLS: found "yes", expected true or false'],
  [{ KAFKA_BROKERS: "a:1", KAFKA_TLS_CA_FILE: "x" }, "KAFKA_TLS_CA_FILE: expected KAFKA_TLS=true beside it"],
  [{ KAFKA_BROKERS: "a:1", KAFKA_SASL_USERNAME: "u" }, "KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD: expected all three or none"],
  [{ KAFKA_BROKERS: "a:1", KAFKA_SASL_MECHANISM: "GSSAPI" }, 'KAFKA_SASL_MECHANISM: found "GSSAPI", expected one of plain, scram-sha-256, scram-sha-512'],
])("%j is refused", (env, problem) => {
  expect(problemsOf(env)).toContain(problem);
});
