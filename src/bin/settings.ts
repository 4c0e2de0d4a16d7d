import { readFileSync } from "node:fs";
import { join } from "node:path";
import { clickhouseSettings, type ClickhouseSettings } from "./clickhouse-settings.ts";
import { kafkaSettings, type KafkaSettings } from "./kafka-settings.ts";
import {
  brokerList, clusterName, duration, integer, macroPath, oneOf, path, roles, secret, size, text, topicName, url, yesOrNo, type Kind, type Role,
} from "./setting-kinds.ts";
import { parseSettingsFile } from "./settings-file.ts";
import { tracingSettings, type TracingSettings } from "./tracing-settings.ts";

interface Setting<T> {
  /** Environment variable; it wins over the file. */
  env: string;
  /** Key in `tributary.yaml`. */
  key?: string;
  kind: Kind<T>;
  fallback: T;
  /** Errors do not repeat the value. */
  hidden?: true;
}

const setting = <T>(env: string, kind: Kind<T>, fallback: T, more: { key?: string } = {}): Setting<T> => ({ env, kind, fallback, ...more });

const optional = <T>(env: string, kind: Kind<T>, more: { key?: string } = {}): Setting<T | undefined> => setting<T | undefined>(env, kind, undefined, more);

const hidden = (env: string, kind: Kind<string>): Setting<string | undefined> => ({ ...optional(env, kind), hidden: true });

/** STREAM's key, which the environment may override in capitals: `event-processor.window-size` as EVENT_PROCESSOR_WINDOW_SIZE. */
const keyed = <T>(key: string, kind: Kind<T>, fallback: T): Setting<T> =>
  setting(key.toUpperCase().replace(/[^A-Z]/g, "_"), kind, fallback, { key });

const hourMs = 3_600_000;
const mb = 1024 ** 2;
const gb = 1024 ** 3;

/** Every setting, once: name in code, name outside, what it may be, and what it is when nobody says. */
const table = {
  port: setting("PORT", integer(0, 65_535), 3001),
  host: setting("HOST", text("a host name or address"), "127.0.0.1"),
  dataDir: setting("DATA_DIR", path, "./data"),
  adminKey: hidden("TRIBUTARY_ADMIN_KEY", secret(8)),
  encryptionKey: hidden("TRIBUTARY_ENCRYPTION_KEY", secret(32)),
  pepper: hidden("TRIBUTARY_PEPPER", secret(32)),
  databaseUrl: hidden("DATABASE_URL", url("postgres:", "postgresql:")),
  databaseReadUrl: hidden("DATABASE_READ_URL", url("postgres:", "postgresql:")),
  databasePoolMax: setting("DATABASE_POOL_SIZE", integer(2, 1000), 10),
  clickhouseUrl: hidden("CLICKHOUSE_URL", url("http:", "https:")),
  clickhouseUser: optional("CLICKHOUSE_USER", text("a user name")),
  clickhousePassword: hidden("CLICKHOUSE_PASSWORD", text("a password")),
  clickhouseTlsCaFile: optional("CLICKHOUSE_TLS_CA_FILE", path),
  clickhouseCluster: optional("CLICKHOUSE_CLUSTER", clusterName),
  clickhouseReplicaPath: setting("CLICKHOUSE_REPLICA_PATH", macroPath, "/clickhouse/tables/{shard}/{database}/{table}"),
  clickhouseReplicaName: setting("CLICKHOUSE_REPLICA_NAME", clusterName, "{replica}"),
  kafkaBrokers: optional("KAFKA_BROKERS", brokerList, { key: "kafka.bootstrap-servers" }),
  kafkaTopic: setting("KAFKA_TOPIC", topicName, "cdp-events", { key: "kafka.topics.cdp-events" }),
  kafkaPartitions: setting("KAFKA_PARTITIONS", integer(1, 10_000), 1),
  kafkaReplication: optional("KAFKA_REPLICATION", integer(1, 100)),
  kafkaTls: setting("KAFKA_TLS", yesOrNo, false),
  kafkaTlsCaFile: optional("KAFKA_TLS_CA_FILE", path),
  kafkaSaslMechanism: optional("KAFKA_SASL_MECHANISM", oneOf("plain", "scram-sha-256", "scram-sha-512")),
  kafkaSaslUsername: optional("KAFKA_SASL_USERNAME", text("a user name")),
  kafkaSaslPassword: hidden("KAFKA_SASL_PASSWORD", text("a password")),
  redisUrl: hidden("REDIS_URL", url("redis:", "rediss:")),
  roles: setting<Role[]>("TRIBUTARY_ROLES", roles, ["api", "worker"]),
  leaseMs: setting("LEASE_DURATION", duration(1000, hourMs), 10_000),
  logLevel: setting("LOG_LEVEL", oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"), "info"),
  nodeEnv: setting("NODE_ENV", text("production, development or another name"), "development"),
  bodyBytesMax: setting("MAX_BODY_BYTES", size(1024), 5 * mb),
  eventBytesMax: setting("MAX_EVENT_BYTES", size(256), 128 * 1024),
  batchSizeMax: setting("MAX_BATCH_SIZE", integer(1, 100_000), 1000),
  logBytesMax: setting("LOG_BYTES_MAX", size(mb), 10 * gb),
  logAgeMsMax: setting("LOG_AGE_MAX", duration(1000), 24 * hourMs),
  diskReserveBytes: setting("DISK_RESERVE_BYTES", size(0), gb),
  shutdownDelayMs: setting("SHUTDOWN_DELAY", duration(0, hourMs), 0),
  shutdownTimeoutMs: setting("SHUTDOWN_TIMEOUT", duration(1000, hourMs), 25_000),
  quarantineRetentionMs: setting("QUARANTINE_RETENTION", duration(1000), 30 * 24 * hourMs),
  windowSizeMs: keyed("event-processor.window-size", duration(0, hourMs), 5000),
  gracePeriodMs: keyed("event-processor.grace-period", duration(0), 120_000),
  dedupTtlMs: keyed("event-processor.dedup-ttl", duration(0), 600_000),
  tickerIntervalMs: keyed("event-processor.ticker-interval", duration(10, 60_000), 1000),
  reengageInactivityMs: keyed("segment-engine.reengage-inactivity-threshold", duration(1), 600_000),
  powerUserThreshold: keyed("segment-engine.power-user-threshold", integer(1, 1_000_000), 5),
  powerUserWindowMs: keyed("segment-engine.power-user-window", duration(1), 24 * hourMs),
  transport: keyed("transport.mode", oneOf("local", "memory", "kafka"), "local"),
} satisfies Record<string, Setting<unknown>>;

type Values = { [Name in keyof typeof table]: (typeof table)[Name]["fallback"] };

/** Settings of one process. Times are milliseconds, sizes bytes, `dataDir` is absolute. */
export interface Settings
  extends Omit<Values, "redisUrl" | "nodeEnv" | "transport" | Extract<keyof Values, `kafka${string}` | `clickhouse${string}`>> {
  /** Where history is; undefined stands for the engine in this process. */
  clickhouse: ClickhouseSettings | undefined;
  /** Where the event log is; undefined stands for the local one. */
  kafka: KafkaSettings | undefined;
  /** Undefined unless traces are exported. */
  tracing: TracingSettings | undefined;
  /** NODE_ENV=production. */
  production: boolean;
}

/** All that is wrong with the settings, one line each. */
export class SettingsError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`The settings are not valid:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.name = "SettingsError";
    this.problems = problems;
  }
}

type Env = Record<string, string | undefined>;

interface Found {
  text: string;
  from: string;
}

/** An empty variable counts as not set, as `.env` files write it. */
function find({ env, key }: Setting<unknown>, environment: Env, file: Map<string, string>): Found | undefined {
  const fromEnv = environment[env]?.trim();
  if (fromEnv) return { text: fromEnv, from: env };
  const fromFile = key === undefined ? undefined : file.get(key)?.trim();
  return fromFile ? { text: fromFile, from: `${key} in tributary.yaml` } : undefined;
}

/** `DEBUG=cdp:*` is AURA's name for LOG_LEVEL=debug. */
function withAliases(env: Env): Env {
  const wanted = (env["DEBUG"] ?? "").split(/[\s,]+/).some((name) => name === "*" || name.startsWith("cdp:"));
  return wanted && !env["LOG_LEVEL"]?.trim() ? { ...env, LOG_LEVEL: "debug" } : env;
}

function unknownKeys(file: Map<string, string>): string[] {
  const known = Object.values<Setting<unknown>>(table).flatMap(({ key }) => key ?? []);
  return [...file.keys()].filter((key) => !known.includes(key))
    .map((key) => `${key} in tributary.yaml: no such key; known are ${known.join(", ")}`);
}

function readTable(env: Env, file: Map<string, string>, cwd: string, problems: string[]): Values {
  const entries = Object.entries<Setting<unknown>>(table).map(([name, one]) => {
    const found = find(one, env, file);
    const given = found ?? (typeof one.fallback === "string" ? { text: one.fallback, from: one.env } : undefined);
    if (given === undefined) return [name, one.fallback];
    const value = one.kind.parse(given.text, cwd);
    if (value === undefined) {
      const shown = one.hidden ? `${given.text.length} characters` : JSON.stringify(given.text.slice(0, 100));
      problems.push(`${given.from}: found ${shown}, expected ${one.kind.expected}`);
    }
    return [name, value ?? one.fallback];
  });
  return Object.fromEntries(entries) as Values;
}

/** What later versions bring refuses the start: ignoring it would look like success. */
function notBuiltYet(values: Values): string[] {
  const problems: string[] = [];
  if (values.redisUrl) problems.push("REDIS_URL: Redis is not built yet; unset it, one process needs none");
  return problems;
}

/** Processes share what all of them reach; engines in a process are reached by that one alone. */
function rolesNeed({ roles: wanted, databaseUrl, clickhouseUrl }: Values, kafka: KafkaSettings | undefined): string[] {
  if (wanted.includes("api") && wanted.includes("worker")) return [];
  const missing = [!kafka && "KAFKA_BROKERS", !databaseUrl && "DATABASE_URL", !clickhouseUrl && "CLICKHOUSE_URL"].filter(Boolean);
  return missing.length === 0 ? [] : [`TRIBUTARY_ROLES: found "${wanted.join()}", expected ${missing.join(", ")} beside it; the engines inside a process serve that one alone`];
}

/**
 * Settings from the environment and the text of `tributary.yaml`, without reading anything else.
 * Throws one `SettingsError` that lists everything that is wrong.
 */
export function settingsFrom(environment: Env, yamlText: string, cwd: string): Settings {
  const env = withAliases(environment);
  const file = parseSettingsFile(yamlText);
  const problems = [...file.problems, ...unknownKeys(file.values)];
  const values = readTable(env, file.values, cwd, problems);
  problems.push(...notBuiltYet(values));
  const kafka = kafkaSettings(values, { mode: find(table.transport, env, file.values)?.from, brokers: find(table.kafkaBrokers, env, file.values)?.from }, problems);
  problems.push(...rolesNeed(values, kafka));
  const clickhouse = clickhouseSettings(values, problems);
  if (values.databaseReadUrl !== undefined && values.databaseUrl === undefined) problems.push("DATABASE_READ_URL: expected DATABASE_URL beside it");
  const tracing = tracingSettings(env, problems);
  if (values.eventBytesMax > values.bodyBytesMax) {
    problems.push(`MAX_EVENT_BYTES: found ${values.eventBytesMax}, expected at most MAX_BODY_BYTES (${values.bodyBytesMax})`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  const {
    redisUrl, nodeEnv, transport, kafkaBrokers, kafkaTopic, kafkaPartitions, kafkaReplication, kafkaTls, kafkaTlsCaFile,
    kafkaSaslMechanism, kafkaSaslUsername, kafkaSaslPassword, clickhouseUrl, clickhouseUser, clickhousePassword, clickhouseTlsCaFile, clickhouseCluster,
    clickhouseReplicaPath, clickhouseReplicaName, ...settings
  } = values;
  return { ...settings, kafka, clickhouse, tracing, production: nodeEnv === "production" };
}

/** Settings from the environment and `tributary.yaml` in `cwd`, where there is one. Throws `SettingsError`. */
export function readSettings(environment: Env, cwd: string): Settings {
  return settingsFrom(environment, readOptional(join(cwd, "tributary.yaml")), cwd);
}

function readOptional(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new SettingsError([`tributary.yaml: cannot be read (${(error as NodeJS.ErrnoException).code})`]);
  }
}
