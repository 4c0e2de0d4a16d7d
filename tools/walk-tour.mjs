#!/usr/bin/env node
// Walks the README's tour as a reader would: starts the server by the README's own command, runs every bash block
// between <!-- tour:begin --> and <!-- tour:end --> in one shell, and compares what is printed with the notes beside it:
//   curl …
//   # → contains: "totalEvents":3
// A curl that only reads is tried again for a while, because events are processed seconds after they were accepted.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { cleanEnv, root, startServer } from "./run-server.mjs";

const retryMsMax = 60_000;
const stepMsMax = 300_000;
const note = /^#\s*→\s*contains:\s*(.+)$/;
const installs = /^(git clone|cd |npm ci)\b/;
const starts = /\b(npm start|npx tributary start)\b/;

/** Steps of the tour in order: what to run, and what its output must contain. */
function readTour(markdown) {
  const parts = [...markdown.matchAll(/<!-- tour:begin -->([\s\S]*?)<!-- tour:end -->/g)].map(([, part]) => part).join("\n");
  const blocks = [...parts.matchAll(/^```(?:bash|sh)\n([\s\S]*?)^```/gm)].map(([, block]) => block);
  const steps = [];
  let lines = [];
  const close = (expected) => {
    if (lines.length > 0) steps.push({ text: lines.join("\n"), expected: [] });
    lines = [];
    if (expected) steps.at(-1)?.expected.push(expected);
  };
  for (const line of blocks.flatMap((block) => [...block.split("\n"), ""])) {
    const expected = note.exec(line)?.[1].trim();
    if (expected || line.trim() === "") close(expected);
    else if (!line.startsWith("#")) lines.push(line);
  }
  return steps;
}

/** One bash for the whole tour, so that variables set in one step are known in the next. */
function openShell(env) {
  const shell = spawn("bash", ["--noprofile", "--norc"], { cwd: root, env, stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  let arrived = () => {};
  shell.stdout.setEncoding("utf8").on("data", (chunk) => {
    output += chunk;
    arrived();
  });
  async function run(text) {
    output = "";
    const end = /\n?<step-done (\d+)>\n$/;
    shell.stdin.write(`{ ${text}\n} </dev/null 2>&1\nprintf '\\n<step-done %d>\\n' $?\n`);
    const deadline = Date.now() + stepMsMax;
    while (!end.test(output)) {
      if (shell.exitCode !== null || Date.now() > deadline) return { code: shell.exitCode ?? 124, output };
      await Promise.race([new Promise((resolve) => { arrived = resolve; }), pause(1000)]);
    }
    return { code: Number(end.exec(output)[1]), output: output.replace(end, "") };
  }
  return { run, close: () => shell.stdin.end() };
}

const squeeze = (text) => text.replace(/\s+/g, "");
const missingIn = (output, expected) => expected.filter((part) => !squeeze(output).includes(squeeze(part)));
const onlyReads = (text) => /\bcurl\b/.test(text) && !/\s(-d|--data\S*|--json|-F|-T|-X\s*\S+)\s/.test(text);

async function walkStep(shell, { text, expected }) {
  const deadline = Date.now() + (onlyReads(text) ? retryMsMax : 0);
  for (;;) {
    const { code, output } = await shell.run(text);
    const missing = missingIn(output, expected);
    if (code === 0 && missing.length === 0) return;
    if (Date.now() >= deadline) {
      const reason = code === 0 ? `the output does not contain ${missing.join(" and ")}` : `the command ended with ${code}`;
      throw new Error(`${reason}\n--- step ---\n${text}\n--- output ---\n${output.slice(-4000)}`);
    }
    await pause(500);
  }
}

const steps = readTour(readFileSync(join(root, "README.md"), "utf8"));
const command = steps.flatMap(({ text }) => text.split("\n")).find((line) => starts.test(line));
if (!command) throw new Error("README.md has no tour: blocks between <!-- tour:begin --> and <!-- tour:end -->, one of them with npm start");

const folder = mkdtempSync(join(tmpdir(), "tour-"));
// As root, PostgreSQL runs as another user, who must be able to enter.
chmodSync(folder, 0o755);
const dataDir = join(folder, "data");
try {
  const server = await startServer({ dataDir, key: null, command: command.replace(/^.*&&\s*/, "").replace(/\s*&\s*$/, "") });
  console.log(`ready after ${(server.readyMs / 1000).toFixed(1)} s: ${command}`);
  const shell = openShell(cleanEnv({ DATA_DIR: dataDir, TRIBUTARY_URL: server.url }));
  // The reader's port and data directory are the defaults; here they are whatever is free.
  const place = (text) => text.replaceAll(/(127\.0\.0\.1|localhost):3001/g, `127.0.0.1:${server.port}`)
    .replaceAll(/(^|[\s"'(<=])(?:\.\/)?data\//gm, `$1${dataDir}/`);
  const own = (line) => !installs.test(line) && !starts.test(line);
  let walked = 0;
  try {
    for (const { text, expected } of steps) {
      const kept = text.split("\n").filter(own).join("\n");
      if (kept === "") continue;
      const startedAt = performance.now();
      await walkStep(shell, { text: place(kept), expected });
      walked++;
      console.log(`ok   ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${kept.split("\n")[0].slice(0, 110)}`);
    }
  } catch (error) {
    // Told before the server is stopped, which may fail as well.
    console.error(`FAIL ${error.message}`);
    process.exitCode = 1;
  } finally {
    shell.close();
    await server.stop();
  }
  if (walked === 0) throw new Error("The tour has no step that works besides starting the server");
  if (!process.exitCode) console.log(`The tour of ${walked} steps works, and the server ended cleanly.`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
