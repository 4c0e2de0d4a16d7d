#!/usr/bin/env node
// Runs one group of examples.json against a running server. Each group wants a fresh tenant or a fresh data directory:
//   BASE=http://127.0.0.1:3001 KEY=… node run-examples.mjs STREAM-types [--settle 8000] [--upto N]
// Without a group the groups are listed; --upto leaves out what later parts of the product cover.
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const examples = JSON.parse(readFileSync(new URL("./examples.json", import.meta.url), "utf8"));
const group = process.argv[2];
const base = process.env.BASE ?? "http://127.0.0.1:3001";
const key = process.env.KEY ?? "";
const settleMs = Number(option("--settle", 8000));
const upto = Number(option("--upto", 6));
const startedAt = Date.now();
const unitMs = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
const captured = {};

function option(name, fallback) {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : process.argv[at + 1];
}

/** `{{now}}`, `{{now-12s}}`, `{{NAME}}` of something captured before, or of the environment. */
function fillName(name) {
  const [now, by, unit] = /^now(?:([+-]\d+)([smhd]))?$/.exec(name) ?? [];
  if (now) return new Date(startedAt + (by ? Number(by) * unitMs[unit] : 0)).toISOString();
  return captured[name] ?? process.env[name] ?? `missing-${name}`;
}

function fill(value) {
  if (typeof value === "string") return value.replace(/\{\{([^}]+)\}\}/g, (_, name) => fillName(name));
  if (Array.isArray(value)) return value.map(fill);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, fill(part)]));
  return value;
}

/** How `got` differs from what is wanted (`*`: anything, `/…/`: a pattern, objects: at least these fields), or null. */
function findDifference(want, got, at = "") {
  if (want === "*") return got === undefined ? `${at} is missing` : null;
  if (typeof want === "string" && /^\/.*\/$/.test(want)) {
    return new RegExp(want.slice(1, -1)).test(got) ? null : `${at} is ${JSON.stringify(got)}, not ${want}`;
  }
  if (Array.isArray(want)) return JSON.stringify(want) === JSON.stringify(got) ? null : `${at} is ${JSON.stringify(got)}`;
  if (want && typeof want === "object") {
    for (const [name, part] of Object.entries(want)) {
      const difference = findDifference(part, got?.[name], at ? `${at}.${name}` : name);
      if (difference) return difference;
    }
    return null;
  }
  // Decimals may be strings.
  const same = typeof want === "number" && typeof got === "string" ? want === Number(got) : want === got;
  return same ? null : `${at} is ${JSON.stringify(got)}, not ${JSON.stringify(want)}`;
}

async function send(example) {
  const given = example.headers ?? {};
  const headers = { ...(given.Authorization === "" ? {} : { authorization: `Bearer ${key}` }), ...given };
  if (headers.Authorization === "") delete headers.Authorization;
  const body = example.body === undefined ? undefined : JSON.stringify(fill(example.body));
  const response = await fetch(base + fill(example.path), { method: example.method, headers, body });
  const text = await response.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    // Not every answer is JSON: /metrics is not.
  }
  return { status: response.status, json };
}

/** Runs an example; answers with what is wrong, or null. */
async function check({ expect, ...example }) {
  const { status, json } = await send(example).catch((error) => ({ status: String(error) }));
  for (const [name, path] of Object.entries(example.capture ?? {})) captured[name] = path.split(".").reduce((part, step) => part?.[step], json);
  if (expect.status !== undefined && ![expect.status].flat().includes(status)) return `status ${status}, not ${expect.status}`;
  return expect.json ? findDifference(fill(expect.json), json) : null;
}

if (!group) {
  console.log([...new Set(examples.map((example) => `${example.group} (${example.round})`))].join("\n"));
  process.exit(0);
}
const chosen = examples.filter((example) => example.group === group && example.coveredBy <= upto);
if (chosen.length === 0) throw new Error(`No examples of ${group} up to ${upto}`);
let failed = 0;
for (const example of chosen) {
  if (example.settle) await pause(settleMs);
  const wrong = await check(example);
  if (wrong) failed++;
  console.log(`${wrong ? "FAIL" : "ok  "} ${example.id} ${example.method} ${example.path}${wrong ? `: ${wrong}` : ""}`);
  if (example.expect.describe) console.log(`     look: ${fill(example.expect.describe)}`);
}
process.exit(failed ? 1 : 0);
