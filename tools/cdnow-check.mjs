#!/usr/bin/env node
// Imports a file of real purchases and compares every customer with a plain sum over the file:
//   node tools/cdnow-check.mjs FILE.csv      (columns order_id, customer_id, date, cds, value)
// Then imports it again (nothing may change), starts the server again, and imports it shuffled into a fresh data
// directory (the profiles must be the same). Prints figures; ends with 1 on the first thing that is not equal.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import Big from "big.js";
import { parse } from "csv-parse/sync";
import { cleanEnv, root, startServer } from "./run-server.mjs";

const readersMax = 16;
const processMsMax = 20 * 60_000;
if (!process.argv[2]) throw new Error("Name the file: node tools/cdnow-check.mjs FILE.csv");
const file = resolve(process.argv[2]);
const mapping = join(root, "examples/cdnow.mapping.json");

const seconds = (sinceMs) => (performance.now() - sinceMs) / 1000;
const figure = (name, value) => console.log(`${name.padEnd(52)} ${value}`);

/** What each customer must look like, by plain sums over the rows. */
function sumRows(rows) {
  const customers = new Map();
  for (const { customer_id: id, date, value } of rows) {
    const sum = customers.get(id) ?? { events: 0, revenue: new Big(0), days: new Set() };
    sum.events++;
    sum.revenue = sum.revenue.plus(value);
    sum.days.add(date);
    customers.set(id, sum);
  }
  return customers;
}

/** The same rows in an order of their own: the same one every time. */
function shuffle(lines) {
  const mixed = [...lines];
  let seed = 20_260_101;
  for (let i = mixed.length - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const j = seed % (i + 1);
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}

async function read(server, path) {
  const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${server.key}` } });
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${text.slice(0, 300)}`);
  return text;
}

const readData = async (server, path) => JSON.parse(await read(server, path)).data;

async function readMeter(server, name) {
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(await read(server, "/metrics"))?.[1];
  if (value === undefined) throw new Error(`/metrics does not show ${name}`);
  return Number(value);
}

/** Runs the import command as a user would. The file lies in a folder of its own, so that no earlier run is resumed. */
async function importFile(server, path) {
  const startedAt = performance.now();
  const child = spawn("npx", ["tributary", "import", path, "--mapping", mapping], {
    cwd: root,
    env: cleanEnv({ TRIBUTARY_URL: server.url, TRIBUTARY_API_KEY: server.key }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => { output = (output + chunk).slice(-5000); });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`npx tributary import ended with ${code}\n${output}`);
  return seconds(startedAt);
}

/** Waits until nothing accepted is left to process; answers with the seconds that took. */
async function settle(server, rows) {
  const startedAt = performance.now();
  for (;;) {
    // The backlog first: what it no longer holds the statistics must already show.
    const backlog = await readMeter(server, "cdp_backlog_events");
    const { totalEvents } = await readData(server, "/api/cdp/stats");
    if (backlog === 0 && totalEvents >= rows) return seconds(startedAt);
    if (performance.now() - startedAt > processMsMax) {
      throw new Error(`${totalEvents} of ${rows} events are processed after ${processMsMax / 1000} s, backlog ${backlog}`);
    }
    await pause(250);
  }
}

/** What of a profile must not depend on order or repetition. */
function canonical(profile) {
  const { totalEvents, totalPurchases, totalSessions, totalRevenue, lifecycleStage, attributes, computed } = profile;
  return {
    totalEvents,
    totalPurchases,
    totalSessions,
    totalRevenue: new Big(totalRevenue).toFixed(),
    firstSeen: new Date(profile.firstSeen ?? computed?.firstSeenDate).toISOString(),
    lastSeen: new Date(profile.lastSeen ?? computed?.lastSeenDate).toISOString(),
    lifecycleStage,
    attributes,
    identifiers: (profile.identifiers ?? []).map(({ type, value }) => `${type}:${value}`).sort(),
  };
}

/** Every customer's profile, by the customer's id. */
async function readProfiles(server, ids) {
  const profiles = new Map();
  const queue = ids.values();
  const reader = async () => {
    for (const id of queue) {
      profiles.set(id, canonical(await readData(server, `/api/cdp/profiles/lookup?type=external_id&value=${encodeURIComponent(id)}`)));
    }
  };
  await Promise.all(Array.from({ length: readersMax }, reader));
  return profiles;
}

function expectEqual(what, got, wanted) {
  if (!isDeepStrictEqual(got, wanted)) throw new Error(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
}

function compareWithSums(profiles, customers) {
  for (const [id, { events, revenue, days }] of customers) {
    const { totalEvents, totalPurchases, totalSessions, totalRevenue, firstSeen, lastSeen } = profiles.get(id);
    const sorted = [...days].sort();
    expectEqual(`customer ${id}`, { totalEvents, totalPurchases, totalSessions, totalRevenue, firstSeen, lastSeen }, {
      totalEvents: events,
      totalPurchases: events,
      // The file knows days only: the purchases of one day are one session.
      totalSessions: days.size,
      totalRevenue: revenue.toFixed(),
      firstSeen: `${sorted[0]}T00:00:00.000Z`,
      lastSeen: `${sorted.at(-1)}T00:00:00.000Z`,
    });
  }
}

async function compareTotals(server, customers, rows) {
  const { totalProfiles, totalEvents } = await readData(server, "/api/cdp/stats");
  expectEqual("/api/cdp/stats", { totalProfiles, totalEvents }, { totalProfiles: customers.size, totalEvents: rows });
}

async function importAndCompare(server, path, { customers, rows }, name) {
  const importS = await importFile(server, path);
  const settleS = await settle(server, rows);
  figure(`${name}: accepted`, `${rows} rows in ${importS.toFixed(1)} s, ${Math.round(rows / importS)} rows/s`);
  figure(`${name}: processed`, `${settleS.toFixed(1)} s after the last was accepted`);
  await compareTotals(server, customers, rows);
  const startedAt = performance.now();
  const profiles = await readProfiles(server, [...customers.keys()]);
  const readS = seconds(startedAt);
  figure(`${name}: profiles read`, `${profiles.size} in ${readS.toFixed(1)} s, ${Math.round(profiles.size / readS)}/s by ${readersMax} readers`);
  compareWithSums(profiles, customers);
  return profiles;
}

function place(folder, name, lines) {
  mkdirSync(join(folder, name));
  const path = join(folder, name, "purchases.csv");
  if (lines) writeFileSync(path, `${lines.join("\n")}\n`);
  else copyFileSync(file, path);
  return path;
}

/** Runs `work` with a server and stops that server, whatever happens. */
async function withServer(dataDir, key, work) {
  const server = await startServer({ dataDir, ...(key && { key }) });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
  return server.key;
}

async function checkAll(folder) {
  const text = readFileSync(file, "utf8");
  const parsed = parse(text, { columns: true });
  const sums = { customers: sumRows(parsed), rows: parsed.length };
  const revenue = [...sums.customers.values()].reduce((sum, customer) => sum.plus(customer.revenue), new Big(0));
  figure("the file", `${sums.rows} rows, ${sums.customers.size} customers, revenue ${revenue.toFixed()}`);

  const first = join(folder, "first");
  let profiles;
  const key = await withServer(first, undefined, async (server) => {
    figure("ready on an empty data directory", `${(server.readyMs / 1000).toFixed(2)} s`);
    figure("memory at rest (PSS, all processes)", `${Math.round(server.memoryMb())} MB`);
    profiles = await importAndCompare(server, place(folder, "once"), sums, "import");
    figure("memory after the import (PSS, all processes)", `${Math.round(server.memoryMb())} MB`);
    const again = await importAndCompare(server, place(folder, "again"), sums, "import again");
    for (const [id, profile] of profiles) expectEqual(`customer ${id} after the second import`, again.get(id), profile);
  });
  await withServer(first, key, async (server) => {
    figure("ready on the full data directory", `${(server.readyMs / 1000).toFixed(2)} s`);
    await compareTotals(server, sums.customers, sums.rows);
  });

  const [header, ...lines] = text.trimEnd().split(/\r?\n/);
  await withServer(join(folder, "second"), undefined, async (server) => {
    const shuffled = await importAndCompare(server, place(folder, "shuffled", [header, ...shuffle(lines)]), sums, "import shuffled");
    for (const [id, profile] of profiles) expectEqual(`customer ${id} of the shuffled import`, shuffled.get(id), profile);
  });
  console.log("Every customer equals the plain sum over the file, after one import, after two, and in shuffled order.");
}

const folder = mkdtempSync(join(tmpdir(), "cdnow-"));
// As root, PostgreSQL runs as another user, who must be able to enter.
chmodSync(folder, 0o755);
try {
  await checkAll(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
