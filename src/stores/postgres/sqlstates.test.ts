import { expect, test } from "vitest";
import { connectPostgres } from "./pool.ts";
import { isBadData, isContention, isOutage } from "./sqlstates.ts";

const cases: [what: string, error: object, kind: "outage" | "bad data" | "contention" | "neither"][] = [
  ["connection refused", { code: "ECONNREFUSED" }, "outage"],
  ["connection reset", { code: "ECONNRESET" }, "outage"],
  ["socket missing", { code: "ENOENT", syscall: "connect" }, "outage"],
  ["file missing", { code: "ENOENT", syscall: "open" }, "neither"],
  ["server shuts down", { code: "57P01" }, "outage"],
  ["server starts", { code: "57P03" }, "outage"],
  ["connection failure", { code: "08006" }, "outage"],
  ["too many connections", { code: "53300" }, "outage"],
  ["disk full", { code: "53100" }, "outage"],
  ["statement timeout", { code: "57014" }, "outage"],
  ["lost while idle in a transaction", { code: "25P03" }, "outage"],
  ["no connection in time", new Error("timeout exceeded when trying to connect"), "outage"],
  ["connection lost", new Error("Connection terminated unexpectedly"), "outage"],
  ["outage as a cause", new Error("reading failed", { cause: { code: "57P01" } }), "outage"],
  ["number out of range", { code: "22003" }, "bad data"],
  ["null byte in a text", { code: "22021" }, "bad data"],
  ["unique violation", { code: "23505" }, "bad data"],
  ["index row too large", { code: "54000" }, "bad data"],
  ["row twice in one upsert", { code: "21000" }, "bad data"],
  ["deadlock", { code: "40P01" }, "contention"],
  ["serialization failure", { code: "40001" }, "contention"],
  ["no such column", { code: "42703" }, "neither"],
  ["a bug", new TypeError("x is not a function"), "neither"],
];

test.each(cases)("%s", (_, error, kind) => {
  expect({ outage: isOutage(error), badData: isBadData(error), contention: isContention(error) })
    .toEqual({ outage: kind === "outage", badData: kind === "bad data", contention: kind === "contention" });
});

test.each([
  ["no socket in the directory", { host: "/tmp/there-is-no-such-directory" }],
  ["nobody listens", { host: "127.0.0.1", port: 1 }],
])("a server that is not there is an outage: %s", async (_, settings) => {
  const db = connectPostgres(settings);
  const error: unknown = await db.check().catch((thrown: unknown) => thrown);
  expect(isOutage(error)).toBe(true);
  await db.close();
});
