import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, expect, test } from "vitest";
import { importFile, type ImportRequest } from "./import-file.ts";
import type { Mapping } from "./mapping.ts";
import { formatOf } from "./read-rows.ts";
import { answerError, type RecordingRules, type RecordingServer, startRecordingServer } from "../../../testing/recording-server.ts";

const directory = mkdtempSync(join(tmpdir(), "import-"));
const servers: RecordingServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
afterAll(() => rmSync(directory, { recursive: true }));

const mapping: Mapping = { event: "purchase", identifiers: { external_id: "customer" }, properties: { amount: { field: "value", type: "number" } } };
const csv = (rows: string[]): string => `customer,value\n${rows.map((row) => `${row}\n`).join("")}`;

async function startServer(rules: RecordingRules = {}): Promise<RecordingServer> {
  const server = await startRecordingServer(rules);
  servers.push(server);
  return server;
}

function writeInput(name: string, content: string | Buffer): ImportRequest {
  const file = join(directory, name);
  writeFileSync(file, content);
  return {
    file,
    format: formatOf(file) ?? "csv",
    mapping,
    batchRows: 10,
    concurrency: 3,
    rejectsPath: `${file}.rejects.ndjson`,
    statePath: `${file}.import-state.json`,
    restart: false,
    giveUpAfterMs: 60_000,
    backOffMs: 1,
    saveEveryMs: 0,
  };
}

async function runOn(server: RecordingServer, request: ImportRequest, signal = new AbortController().signal) {
  const said: string[] = [];
  const progress = { update: () => undefined, note: () => undefined, stop: () => undefined };
  const run = { connection: { url: server.url, apiKey: "key" }, signal, openProgress: () => progress, say: (line: string) => said.push(line) };
  return { ...(await importFile(request, run)), said };
}

const ids = (server: RecordingServer): string[] => server.accepted.map(({ eventId }) => eventId ?? "").sort();
const readRejects = (request: ImportRequest): unknown[] =>
  readFileSync(request.rejectsPath, "utf8").trim().split("\n").map((line) => JSON.parse(line) as unknown);
const manyRows = Array.from({ length: 205 }, (_, i) => `c${i % 7},${i % 3}.5`);

test("every row is sent once, as history, in batches", async () => {
  const server = await startServer();
  const { state } = await runOn(server, writeInput("plain.csv", csv(manyRows)));
  expect(state).toMatchObject({ rows: 205, accepted: 205, rejected: 0, finished: true });
  expect(server.batches.sort((a, b) => a - b)).toEqual([5, ...Array<number>(20).fill(10)]);
  expect(server.historical).toEqual(new Set([true]));
  expect(server.rowsInFlightMax).toBeLessThanOrEqual(30);
});

test("no rejects file is made when nothing is rejected", async () => {
  const request = writeInput("clean.csv", csv(["a,1"]));
  await runOn(await startServer(), request);
  expect(existsSync(request.rejectsPath)).toBe(false);
});

test("historical: false sends live events", async () => {
  const server = await startServer();
  await runOn(server, { ...writeInput("live.csv", csv(["a,1"])), mapping: { ...mapping, historical: false } });
  expect(server.historical).toEqual(new Set([undefined]));
});

test("equal rows both count, and a second run sends the same ids", async () => {
  const server = await startServer();
  const request = writeInput("equal.csv", csv(["a,1", "a,1", "b,2", "a,1"]));
  await runOn(server, request);
  const first = ids(server);
  server.accepted.length = 0;
  await runOn(server, request);
  expect(new Set(first).size).toBe(4);
  expect(ids(server)).toEqual(first);
});

test("CSV, NDJSON, TSV and gzip of the same rows give the same ids", async () => {
  const rows = [["a", "1"], ["b", "2"], ["a", "1"]];
  const files: [string, string | Buffer][] = [
    ["same.csv", csv(rows.map((row) => row.join(",")))],
    ["same.tsv", `customer\tvalue\n${rows.map((row) => row.join("\t")).join("\n")}`],
    ["same.ndjson", rows.map(([customer, value]) => JSON.stringify({ value, customer })).join("\n")],
    ["same.csv.gz", gzipSync(csv(rows.map((row) => row.join(","))))],
  ];
  const sent: string[][] = [];
  for (const [name, content] of files) {
    const server = await startServer();
    await runOn(server, writeInput(name, content));
    sent.push(ids(server));
  }
  expect(new Set(sent.map((list) => list.join()))).toEqual(new Set([sent[0]?.join()]));
});

test("rejected rows are written with line, reason, field, message and row, whoever rejected them", async () => {
  const server = await startServer({
    reject: ({ properties }) => (properties?.["amount"] === 13 ? { reason: "unlucky", field: "properties.amount", message: "no 13" } : undefined),
  });
  const request = writeInput("rejects.csv", csv(["a,1", "b,much", "c,13", "d,1,2", ",5"]));
  const { state } = await runOn(server, request);
  expect(state).toMatchObject({ rows: 5, accepted: 1, rejected: 4 });
  expect(readRejects(request)).toEqual([
    { line: 3, reason: "invalid_number", field: "value", message: expect.stringContaining('found "much"'), row: { customer: "b", value: "much" } },
    { line: 4, reason: "unlucky", field: "properties.amount", message: "no 13", row: { customer: "c", value: "13" } },
    { line: 5, reason: "invalid_csv", field: "", message: expect.any(String), row: ["d", "1", "2"] },
    { line: 6, reason: "no_identifier", field: "identifiers", message: expect.any(String), row: { value: "5" } },
  ]);
});

test("a batch of which every row is rejected does not end the import", async () => {
  const server = await startServer({ reject: ({ identifiers }) => (identifiers[0]?.value === "x" ? { reason: "bad", field: "f", message: "m" } : undefined) });
  const { state } = await runOn(server, writeInput("all.csv", csv([...Array<string>(10).fill("x,1"), "a,1"])));
  expect(state).toMatchObject({ accepted: 1, rejected: 10 });
});

test("a server that is busy, breaks off or takes smaller batches gets every row in the end", async () => {
  const server = await startServer({
    intercept(request, reply, events) {
      if (request % 5 === 1) return answerError(reply, 503, "backlog_full", { "retry-after": "0" });
      if (request % 5 === 3) return !reply.raw.destroy().writable;
      return events.length > 6 && answerError(reply, 413, "body_too_large");
    },
  });
  const { state } = await runOn(server, writeInput("rough.csv", csv(manyRows)));
  expect(state).toMatchObject({ accepted: 205, rejected: 0 });
  expect(new Set(ids(server)).size).toBe(205);
});

test("an interrupted import goes on where it was, with the same ids and each reject once", async () => {
  const rows = manyRows.map((row, i) => (i % 20 === 5 ? "c1,none" : row));
  const whole = await startServer();
  await runOn(whole, writeInput("whole.csv", csv(rows)));

  const stop = new AbortController();
  const server = await startServer({
    intercept(request) {
      if (request === 9) stop.abort();
      return false;
    },
  });
  const request = writeInput("halved.csv", csv(rows));
  await expect(runOn(server, request, stop.signal)).rejects.toThrow();
  const sentBefore = server.accepted.length;
  const { state, rowsBefore, said } = await runOn(server, request);

  expect(rowsBefore).toBeGreaterThanOrEqual(50);
  expect(said).toEqual([`Going on after row ${rowsBefore} (--restart begins anew).`]);
  expect(state).toMatchObject({ rows: 205, accepted: 195, rejected: 10, finished: true });
  expect(new Set(ids(server))).toEqual(new Set(ids(whole)));
  expect(server.accepted.length - sentBefore).toBeLessThanOrEqual(205 - rowsBefore);
  expect(readRejects(request)).toHaveLength(10);
});

test("--restart sends everything again", async () => {
  const stop = new AbortController();
  const server = await startServer({ intercept: (request) => (request === 9 && stop.abort(), false) });
  const request = writeInput("restart.csv", csv(manyRows));
  await expect(runOn(server, request, stop.signal)).rejects.toThrow();
  server.accepted.length = 0;
  const { rowsBefore } = await runOn(server, { ...request, restart: true });
  expect([rowsBefore, server.accepted.length]).toEqual([0, 205]);
});

test("a file that changed since it was interrupted starts anew", async () => {
  const stop = new AbortController();
  const server = await startServer({ intercept: (request) => (request === 9 && stop.abort(), false) });
  await expect(runOn(server, writeInput("changed.csv", csv(manyRows)), stop.signal)).rejects.toThrow();
  const { rowsBefore, said } = await runOn(server, writeInput("changed.csv", csv([...manyRows, "new,1"])));
  expect([rowsBefore, said]).toEqual([0, [expect.stringContaining("changed since")]]);
});

test("a refused key ends it at once and leaves no files", async () => {
  const server = await startServer({ intercept: (_, reply) => answerError(reply, 401, "unauthorized") });
  const request = writeInput("key.csv", csv(manyRows));
  await expect(runOn(server, request)).rejects.toThrow(/The API key is not known there/);
  expect(server.batches.length).toBeLessThanOrEqual(3);
  expect([existsSync(request.rejectsPath), existsSync(request.statePath ?? "")]).toEqual([false, false]);
});

test.each([
  ["a column that the file does not have", "customer,amount\na,1\n", "The mapping reads value, but the file's columns are customer, amount."],
  ["a column named twice", "customer,value,value\na,1,2\n", "The header names value more than once."],
  ["an empty file", "", "The file is empty: a header row is expected."],
])("%s is told before anything is sent", async (_, content, message) => {
  const server = await startServer();
  await expect(runOn(server, writeInput("header.csv", content))).rejects.toThrow(message);
  expect(server.batches).toEqual([]);
});

test("the shipped sample is imported with the shipped mapping", async () => {
  const server = await startServer();
  const sample = new URL("../../../../examples/", import.meta.url);
  const shipped = JSON.parse(readFileSync(new URL("cdnow.mapping.json", sample), "utf8")) as Mapping;
  const request = writeInput("cdnow_sample.csv", readFileSync(new URL("cdnow_sample.csv", sample)));
  await runOn(server, { ...request, mapping: shipped, batchRows: 500 });
  const cents = server.accepted.reduce((sum, { properties }) => sum + Math.round(Number(properties?.["amount"]) * 100), 0);
  const customers = new Set(server.accepted.map(({ identifiers }) => identifiers[0]?.value));
  expect({ rows: server.accepted.length, customers: customers.size, cents }).toEqual({ rows: 763, customers: 200, cents: 2_632_203 });
});
