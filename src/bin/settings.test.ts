import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { parseSizeBytes } from "./setting-kinds.ts";
import { readSettings, settingsFrom, SettingsError } from "./settings.ts";

const cwd = "/srv/app";

function problemsOf(env: Record<string, string>, yamlText = ""): string[] {
  try {
    settingsFrom(env, yamlText, cwd);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

test("with nothing said, the documented defaults hold", () => {
  expect(settingsFrom({}, "", cwd)).toEqual({
    port: 3001, host: "127.0.0.1", dataDir: "/srv/app/data", logLevel: "info", production: false,
    adminKey: undefined, encryptionKey: undefined, pepper: undefined, databaseUrl: undefined, databaseReadUrl: undefined, databasePoolMax: 10,
    bodyBytesMax: 5_242_880, eventBytesMax: 131_072, batchSizeMax: 1000,
    logBytesMax: 10_737_418_240, logAgeMsMax: 86_400_000, diskReserveBytes: 1_073_741_824, quarantineRetentionMs: 2_592_000_000,
    windowSizeMs: 5000, gracePeriodMs: 120_000, dedupTtlMs: 600_000, tickerIntervalMs: 1000,
    reengageInactivityMs: 600_000, powerUserThreshold: 5, powerUserWindowMs: 86_400_000,
    kafka: undefined, clickhouse: undefined, tracing: undefined, roles: ["api", "worker"], leaseMs: 10_000, shutdownDelayMs: 0, shutdownTimeoutMs: 25_000,
  });
});

test.each([
  ["nested keys", "event-processor:\n  window-size: 7s\n  grace-period: 3m\n"],
  ["dotted keys", "event-processor.window-size: 7s\nevent-processor.grace-period: 3m\n"],
  ["half and half", "event-processor.window-size: 7s\nevent-processor:\n  grace-period: 3m\n"],
  ["numbers as milliseconds", "event-processor:\n  window-size: 7000\n  grace-period: 180000\n"],
])("the file may use %s", (_, yamlText) => {
  expect(settingsFrom({}, yamlText, cwd)).toMatchObject({ windowSizeMs: 7000, gracePeriodMs: 180_000, dedupTtlMs: 600_000 });
});

test("STREAM's file as printed is read, with memory as a name of local", () => {
  const yamlText = `event-processor:
  window-size: 5s
  grace-period: 2m
  dedup-ttl: 10m
  ticker-interval: 1s
segment-engine:
  reengage-inactivity-threshold: 10m
  power-user-threshold: 5
  power-user-window: 24h
transport:
  mode: memory  # memory | kafka
spring:
  kafka:
    bootstrap-servers: localhost:19092
    topics:
      cdp-events: "cdp-events"
`;
  expect(settingsFrom({}, yamlText, cwd)).toEqual(settingsFrom({}, "", cwd));
});

test("the environment wins over the file", () => {
  const env = { EVENT_PROCESSOR_WINDOW_SIZE: "1s", SEGMENT_ENGINE_POWER_USER_THRESHOLD: "9" };
  expect(settingsFrom(env, "event-processor.window-size: 7s", cwd)).toMatchObject({ windowSizeMs: 1000, powerUserThreshold: 9 });
});

test("an empty variable counts as not set", () => {
  expect(settingsFrom({ PORT: "", DATABASE_URL: " ", REDIS_URL: "" }, "", cwd)).toEqual(settingsFrom({}, "", cwd));
});

test.each([
  [{ DEBUG: "cdp:*" }, "debug"],
  [{ DEBUG: "express:*,cdp:ingest" }, "debug"],
  [{ DEBUG: "express:*" }, "info"],
  [{ DEBUG: "cdp:*", LOG_LEVEL: "warn" }, "warn"],
  [{ LOG_LEVEL: "ERROR" }, "error"],
])("%j logs at level %s", (env, level) => {
  expect(settingsFrom(env, "", cwd).logLevel).toBe(level);
});

test.each([
  ["5MB", 5_242_880], ["128 KB", 131_072], ["1.5GiB", 1_610_612_736], ["10g", 10_737_418_240], ["42", 42], ["0", 0],
  ["5 MBit", undefined], ["-1", undefined], ["", undefined], ["1e6", undefined], ["9999999TB", undefined],
])("the size %j is %s bytes", (text, bytes) => {
  expect(parseSizeBytes(text)).toBe(bytes);
});

describe("what is wrong is named with what was found and what is expected", () => {
  test.each([
    [{ PORT: "http" }, 'PORT: found "http", expected a whole number from 0 to 65535'],
    [{ PORT: "65536" }, 'PORT: found "65536", expected a whole number from 0 to 65535'],
    [{ MAX_BODY_BYTES: "big" }, 'MAX_BODY_BYTES: found "big", expected a size such as 5MB or a number of bytes, at least 1024'],
    [{ LOG_AGE_MAX: "soon" }, 'LOG_AGE_MAX: found "soon", expected a duration such as 5s, 2m or 24h, from 1000 ms'],
    [{ MAX_BATCH_SIZE: "0" }, 'MAX_BATCH_SIZE: found "0", expected a whole number from 1 to 100000'],
    [{ LOG_LEVEL: "loud" }, 'LOG_LEVEL: found "loud", expected one of trace, debug, info, warn, error, fatal, silent'],
    [{ MAX_EVENT_BYTES: "6MB" }, "MAX_EVENT_BYTES: found 6291456, expected at most MAX_BODY_BYTES (5242880)"],
    [{ TRIBUTARY_ROLES: "api,cook" }, 'TRIBUTARY_ROLES: found "api,cook", expected all, or a list of api and worker'],
    [{ TRIBUTARY_ROLES: "worker" },
      'TRIBUTARY_ROLES: found "worker", expected KAFKA_BROKERS, DATABASE_URL, CLICKHOUSE_URL beside it; the engines inside a process serve that one alone'],
    [{ REDIS_URL: "redis://h" }, "REDIS_URL: Redis is not built yet; unset it, one process needs none"],
  ])("%j", (env, problem) => {
    expect(problemsOf(env)).toEqual([problem]);
  });

  test.each([
    ["transport.mode: kafka", 'transport.mode in tributary.yaml: found "kafka", expected KAFKA_BROKERS or kafka.bootstrap-servers beside it'],
    ["transport: { mode: carrier-pigeon }", 'transport.mode in tributary.yaml: found "carrier-pigeon", expected one of local, memory, kafka'],
    ["event-processor: { window-size: -5s }",
      'event-processor.window-size in tributary.yaml: found "-5s", expected a duration such as 5s, 2m or 24h, from 0 ms to 3600000 ms'],
    ["event-processor.window-size: 1s\nevent-processor: { window-size: 2s }", "event-processor.window-size in tributary.yaml: given twice"],
    ["event-processor: { window-size: [1s] }", "event-processor.window-size in tributary.yaml: found a list, expected one value"],
    ["just text", "tributary.yaml: found one value, expected keys such as event-processor.window-size"],
  ])("%j", (yamlText, problem) => {
    expect(problemsOf({}, yamlText)).toEqual([problem]);
  });

  test("a key that does not exist", () => {
    expect(problemsOf({}, "event-processor:\n  windowsize: 5s\n")).toEqual([
      expect.stringMatching(/^event-processor\.windowsize in tributary\.yaml: no such key; known are .*event-processor\.window-size, /),
    ]);
  });

  test("a file that is no YAML", () => {
    expect(problemsOf({}, "a: [")).toEqual([expect.stringMatching(/^tributary\.yaml is not valid YAML: .* at line 1/)]);
  });
});

test("everything wrong is told at once, in one message", () => {
  const problems = problemsOf({ PORT: "x", LOG_LEVEL: "y", REDIS_URL: "redis://h" }, "nonsense: 1\ntransport.mode: kafka\n");
  expect(problems).toHaveLength(5);
  expect(new SettingsError(problems).message.split("\n")).toHaveLength(6);
});

test.each(["TRIBUTARY_ADMIN_KEY", "TRIBUTARY_PEPPER", "TRIBUTARY_ENCRYPTION_KEY", "DATABASE_URL"])("a wrong %s is not repeated", (name) => {
  const problems = problemsOf({ [name]: "hush me" });
  expect(problems).toEqual([expect.stringContaining(`${name}: found 7 characters, expected `)]);
  expect(problems[0]).not.toContain("hush");
});

describe("the file in the working directory", () => {
  const directory = mkdtempSync(join(tmpdir(), "settings-"));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("is optional and is read when it is there", () => {
    expect(readSettings({}, directory).windowSizeMs).toBe(5000);
    writeFileSync(join(directory, "tributary.yaml"), "event-processor.window-size: 9s\n");
    expect(readSettings({}, directory).windowSizeMs).toBe(9000);
  });
});
