#!/usr/bin/env node
// Runs the printed examples of the source documents, each group in a tenant of its own, all groups at once on one server.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanEnv, root, startServer } from "./run-server.mjs";

/** The part of the product that is built: examples of later parts are left out. */
const upto = "1";
const runner = join(root, "examples/seed/run-examples.mjs");
const groups = [...new Set(JSON.parse(readFileSync(join(root, "examples/seed/examples.json"), "utf8")).map(({ group }) => group))];

/** Groups that read /metrics, which only the admin key may: they run in tenant `default`, one such group at most. */
const withAdminKey = new Set(["STREAM-types"]);

async function createTenant(server, name) {
  const response = await fetch(`${server.url}/api/cdp/tenants`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`POST /api/cdp/tenants answered ${response.status}: ${text}`);
  const { data } = JSON.parse(text);
  const key = data.apiKey;
  if (typeof key !== "string") throw new Error(`POST /api/cdp/tenants answered without a key: its fields are ${Object.keys(data).join(", ")}`);
  return key;
}

async function runGroup(server, group) {
  const key = withAdminKey.has(group) ? server.key : await createTenant(server, group);
  const env = cleanEnv({ BASE: server.url, KEY: key });
  const child = spawn(process.execPath, [runner, group, "--upto", upto], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => { output += chunk; });
  const [code] = await once(child, "close");
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${group}\n${output.replace(/^/gm, "     ").trimEnd()}`);
  return code === 0;
}

const folder = mkdtempSync(join(tmpdir(), "seed-examples-"));
// As root, PostgreSQL runs as another user, who must be able to enter.
chmodSync(folder, 0o755);
try {
  const server = await startServer({ dataDir: join(folder, "data") });
  try {
    const passed = await Promise.all(groups.map((group) => runGroup(server, group)));
    const failed = groups.filter((_, n) => !passed[n]);
    if (failed.length > 0) process.exitCode = 1;
    console.log(failed.length > 0 ? `${failed.length} of ${groups.length} groups fail: ${failed.join(", ")}` : `All ${groups.length} groups pass.`);
  } finally {
    await server.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
