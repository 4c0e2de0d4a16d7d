import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { type RecordingRules, type RecordingServer, startRecordingServer } from "../testing/recording-server.ts";

const bin = fileURLToPath(new URL("../../bin/tributary.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "cli-"));
afterAll(() => rmSync(root, { recursive: true }));

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(root, "run-"));
});
const closers: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(closers.splice(0).map((close) => close())));

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the command in its own directory with nothing in the environment but what is given. */
function run(args: string[], env: Record<string, string>, { stdin = "", onStart }: { stdin?: string; onStart?: (kill: () => void) => void } = {}): Promise<Ended> {
  const child = spawn(process.execPath, [bin, ...args], { cwd: directory, env: { PATH: process.env["PATH"] ?? "", ...env } });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.on("error", () => undefined).end(stdin);
  onStart?.(() => child.kill("SIGINT"));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}

async function startServer(rules: RecordingRules = {}): Promise<{ server: RecordingServer; env: Record<string, string> }> {
  const server = await startRecordingServer(rules);
  closers.push(server.close);
  return { server, env: { TRIBUTARY_URL: server.url, TRIBUTARY_API_KEY: "key" } };
}

/** A server that answers every request alike and remembers the last one. */
async function startAnswering(status: number, body: object) {
  const app = Fastify();
  const seen: { request?: string; body?: unknown; key?: string | undefined } = {};
  app.all("/*", (request: FastifyRequest, reply: FastifyReply) => {
    Object.assign(seen, { request: `${request.method} ${request.url}`, body: request.body, key: request.headers.authorization });
    void reply.code(status).send(body);
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  closers.push(() => app.close());
  return { seen, url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` };
}

const write = (name: string, content: string): void => writeFileSync(join(directory, name), content);
const flags = ["--set", "event=purchase", "--set", "identifiers.external_id=customer"];

test("import reads standard input and answers 0 when every row was accepted", async () => {
  const { server, env } = await startServer();
  const { code, out } = await run(["import", "-", "--format", "csv", ...flags], env, { stdin: "customer,v\na,1\na,1\n" });
  expect([code, out]).toEqual([0, expect.stringMatching(/^2 rows: 2 accepted, 0 rejected, in \d+ s \(\d+ rows\/s\)\.\n$/)]);
  expect(server.accepted).toHaveLength(2);
});

test("import answers 2 when rows were rejected, and says where they are", async () => {
  const { env } = await startServer();
  write("in.ndjson", '{"customer":"a"}\n{"name":"b"}\n');
  const { code, out } = await run(["import", "in.ndjson", ...flags], env);
  expect([code, out]).toEqual([2, expect.stringContaining("2 rows: 1 accepted, 1 rejected")]);
  expect(out).toContain("in.ndjson.rejects.ndjson");
  expect(JSON.parse(readFileSync(join(directory, "in.ndjson.rejects.ndjson"), "utf8"))).toMatchObject({ line: 2, reason: "no_identifier" });
});

test("import interrupted by Ctrl-C answers 130 and says how to go on", async () => {
  let interrupt: (() => void) | undefined;
  const { env } = await startServer({
    async intercept(request, reply) {
      if (request < 3) return false;
      interrupt?.();
      await new Promise((resolve) => reply.raw.on("close", resolve));
      return true;
    },
  });
  write("in.csv", `customer\n${"a\n".repeat(50)}`);
  const { code, err } = await run(["import", "in.csv", "--batch", "10", "--concurrency", "1", ...flags], env, { onStart: (kill) => (interrupt = kill) });
  expect([code, err]).toEqual([130, "20 rows are done; the same command goes on after them.\nInterrupted.\n"]);
});

test("import --dry-run shows the first event and needs no server", async () => {
  write("in.csv", "customer\na\nb\n");
  const { code, out } = await run(["import", "in.csv", "--dry-run", ...flags], {});
  expect([code, out]).toEqual([0, expect.stringContaining("2 rows: 2 can be sent, 0 cannot. Nothing was sent.")]);
  expect(out).toContain('"type": "purchase"');
});

test.each([
  ["a wrong mapping", ["in.csv", "--set", "evnt=x"], /^The mapping is not valid:\n {2}evnt: is no setting;.*\n {2}event: is missing\n {2}identifiers: is missing\n$/],
  ["the rejects over the file", ["in.csv", "--rejects", "in.csv", ...flags], /must be different files/],
  ["no key", ["in.csv", ...flags], /^No API key: set TRIBUTARY_API_KEY/],
])("import with %s answers 1 and a sentence", async (_, args, sentence) => {
  write("in.csv", "customer\na\n");
  const { code, err } = await run(["import", ...args], {});
  expect([code, err]).toEqual([1, expect.stringMatching(sentence)]);
});

test("import without a running server says so at once", async () => {
  write("in.csv", "customer\na\n");
  const { code, err } = await run(["import", "in.csv", ...flags], { TRIBUTARY_URL: "http://127.0.0.1:1", TRIBUTARY_API_KEY: "k" });
  expect([code, err]).toEqual([1, expect.stringContaining("Is the server running?")]);
});

test("a .env file is read, and the environment wins over it", async () => {
  const { seen, url } = await startAnswering(200, { status: "ok" });
  write(".env", `TRIBUTARY_URL=${url}\nTRIBUTARY_API_KEY=from-file\n`);
  expect((await run(["doctor"], {})).code).toBe(0);
  expect(seen.key).toBe("Bearer from-file");
  await run(["doctor"], { TRIBUTARY_API_KEY: "from-environment" });
  expect(seen.key).toBe("Bearer from-environment");
});

test("without a key in the environment the data directory's is taken", async () => {
  const { seen, url } = await startAnswering(200, { status: "ok" });
  write("admin-key", "from-data-directory\n");
  await run(["doctor"], { TRIBUTARY_URL: url, DATA_DIR: "." });
  expect(seen.key).toBe("Bearer from-data-directory");
});

test.each([
  [["keys", "create-tenant", "--name", "Shop"], "POST /api/cdp/tenants", { name: "Shop" }],
  [["keys", "create-source", "--name", "web", "--late-policy", "quarantine"], "POST /api/cdp/sources", { name: "web", latePolicy: "quarantine" }],
  [["replay", "--source", "source-1", "--from", "2026-01-01"], "POST /api/cdp/quarantine/replay", { sourceId: "source-1", from: "2026-01-01" }],
])("%j asks the server and prints the answer", async (args, request, body) => {
  const { seen, url } = await startAnswering(201, { success: true, data: { id: "x-1", key: "shown once" } });
  const { code, out } = await run(args, { TRIBUTARY_URL: url, TRIBUTARY_API_KEY: "k" });
  expect([code, out]).toEqual([0, "id: x-1\nkey: shown once\n"]);
  expect(seen).toEqual({ request, body, key: "Bearer k" });
});

test("a refused command answers 1 with the server's reason", async () => {
  const error = { code: "validation_failed", message: "not valid", details: [{ field: "name", reason: "empty", message: "must not be empty" }] };
  const { url } = await startAnswering(422, { success: false, error });
  const { code, err } = await run(["keys", "create-tenant", "--name", ""], { TRIBUTARY_URL: url, TRIBUTARY_API_KEY: "k" });
  expect([code, err]).toEqual([1, `${url} answered 422. validation_failed: not valid (name: must not be empty)\n`]);
});

test("replay of everything by a slip is refused", async () => {
  const { code, err } = await run(["replay"], { TRIBUTARY_API_KEY: "k" });
  expect([code, err]).toEqual([1, "Say what to replay: --event-id, --source, --from or --to.\n"]);
});

test("doctor prints each check, and answers 1 when one failed", async () => {
  const checks = { log: { ok: true, ms: 0.4 }, state: { ok: false, ms: 2000, detail: "no answer within 2000 ms" } };
  const { url } = await startAnswering(503, { status: "error", failing: ["state"], accepting: true, checks });
  const { code, out } = await run(["doctor"], { TRIBUTARY_URL: url, TRIBUTARY_API_KEY: "k" });
  expect([code, out]).toEqual([1, `${url}: error\naccepting events: yes\nlog: ok (0.4 ms)\nstate: FAILED, no answer within 2000 ms (2000 ms)\n`]);
});
