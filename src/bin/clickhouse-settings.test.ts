import { expect, test } from "vitest";
import { settingsFrom, SettingsError } from "./settings.ts";

const read = (env: Record<string, string>) => settingsFrom(env, "", "/srv/app").clickhouse;

function problemsOf(env: Record<string, string>): string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

const usual = { database: "tributary", user: undefined, password: undefined, caFile: undefined, cluster: undefined };

test("a URL is enough", () => {
  expect(read({ CLICKHOUSE_URL: "http://me:secret@ch:8123" })).toEqual({ ...usual, url: "http://me:secret@ch:8123/" });
});

test("a path names the database; user, password and certificates may stand beside the URL", () => {
  const env = { CLICKHOUSE_URL: "https://ch:8443/cdp", CLICKHOUSE_USER: "me", CLICKHOUSE_PASSWORD: "secret", CLICKHOUSE_TLS_CA_FILE: "ca.pem" };
  expect(read(env)).toEqual({ ...usual, url: "https://ch:8443/", database: "cdp", user: "me", password: "secret", caFile: "/srv/app/ca.pem" });
});

test("a cluster is a name, and how its servers name themselves", () => {
  const usualNames = { replicaPath: "/clickhouse/tables/{shard}/{database}/{table}", replicaName: "{replica}" };
  expect(read({ CLICKHOUSE_URL: "http://ch:8123", CLICKHOUSE_CLUSTER: "{cluster}" })?.cluster).toEqual({ name: "{cluster}", ...usualNames });
  const own = { CLICKHOUSE_REPLICA_PATH: "/t/{layer}-{shard}/{table}", CLICKHOUSE_REPLICA_NAME: "{host}" };
  expect(read({ CLICKHOUSE_URL: "http://ch:8123", CLICKHOUSE_CLUSTER: "main", ...own })?.cluster).toEqual({ name: "main", replicaPath: "/t/{layer}-{shard}/{table}", replicaName: "{host}" });
});

test.each([
  [{ CLICKHOUSE_CLUSTER: "main" }, "CLICKHOUSE_CLUSTER: expected CLICKHOUSE_URL beside it"],
  [{ CLICKHOUSE_PASSWORD: "hush me" }, "CLICKHOUSE_PASSWORD: expected CLICKHOUSE_URL beside it"],
  [{ CLICKHOUSE_URL: "http://ch:8123/a/b" }, "CLICKHOUSE_URL: expected nothing behind the port, or the name of a database: letters, digits and _"],
  [{ CLICKHOUSE_URL: "http://ch:8123", CLICKHOUSE_TLS_CA_FILE: "ca.pem" }, "CLICKHOUSE_TLS_CA_FILE: expected a CLICKHOUSE_URL that starts with https://"],
  [{ CLICKHOUSE_URL: "http://ch:8123", CLICKHOUSE_CLUSTER: "it's" }, 'CLICKHOUSE_CLUSTER: found "it\'s", expected a name of letters, digits, dots, hyphens and underscores, or of macros such as {cluster}'],
  [{ CLICKHOUSE_URL: "http://ch:8123", CLICKHOUSE_REPLICA_PATH: "/tables/{table}" },
    'CLICKHOUSE_REPLICA_PATH: found "/tables/{table}", expected a path such as /clickhouse/tables/{shard}/{database}/{table}, with {shard} and {table} or {uuid} in it'],
  [{ DATABASE_READ_URL: "postgres://replica/db" }, "DATABASE_READ_URL: expected DATABASE_URL beside it"],
])("%j is refused", (env, problem) => {
  expect(problemsOf(env)).toEqual([problem]);
});
