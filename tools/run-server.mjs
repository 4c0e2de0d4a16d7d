// Starts the product as its user would, for the checks that talk to it from outside.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const readyMsMax = 120_000;
const stopMsMax = 60_000;
const logCharsKept = 20_000;

/** The environment without the settings of the machine it runs on, and with this Node first on the path. */
export function cleanEnv(more) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(TRIBUTARY_|DATABASE_URL|CLICKHOUSE_URL|KAFKA_|REDIS_URL|npm_)/.test(name));
  const path = [dirname(process.execPath), join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  return { ...Object.fromEntries(kept), PATH: path, ...more };
}

export async function findFreePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/**
 * Starts a server on a free port over `dataDir` and resolves when its health is good.
 * `command` is a line for the shell (default: this checkout's `start`), `key` the admin key (default: a new one; null: the server's own).
 */
export async function startServer({ dataDir, command = `"${process.execPath}" bin/tributary.js start`, key, env = {} }) {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const adminKey = key === undefined ? `key-${randomBytes(24).toString("hex")}` : key;
  const secret = adminKey === null ? {} : { TRIBUTARY_ADMIN_KEY: adminKey };
  const startedAt = performance.now();
  const child = spawn("bash", ["-c", command], {
    cwd: root,
    env: cleanEnv({ PORT: String(port), HOST: "127.0.0.1", DATA_DIR: dataDir, SHUTDOWN_TIMEOUT: "55s", ...secret, ...env }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => { log = (log + chunk).slice(-logCharsKept); });
  const exited = once(child, "exit");
  const fail = (reason) => {
    for (const pid of treeOf(child.pid)) kill(pid, "SIGKILL");
    return new Error(`${reason}\n--- end of the server's output ---\n${log}`);
  };

  let answer = "no answer";
  while (answer !== "200") {
    if (child.exitCode !== null) throw fail(`The server ended with ${child.exitCode} before it was ready`);
    if (performance.now() - startedAt > readyMsMax) throw fail(`The server was not ready after ${readyMsMax / 1000} s (health: ${answer})`);
    answer = await fetch(`${url}/api/cdp/health`).then((response) => String(response.status), () => "no answer");
    if (answer !== "200") await pause(50);
  }

  return {
    url,
    port,
    key: adminKey,
    readyMs: performance.now() - startedAt,
    memoryMb: () => treeOf(child.pid).reduce((sum, pid) => sum + pssMb(pid), 0),
    /** Ends the server by SIGTERM; throws unless it ends by itself, with 0 and without leaving a process behind. */
    async stop() {
      const tree = treeOf(child.pid);
      kill(tree.find((pid) => /tributary(\.js)?\0start/.test(commandOf(pid))) ?? child.pid, "SIGTERM");
      const ended = await Promise.race([exited, pause(stopMsMax, undefined, { ref: false })]);
      if (!ended) throw fail(`The server had not ended ${stopMsMax / 1000} s after SIGTERM`);
      if (ended[0] !== 0) throw fail(`The server ended with ${ended[0] ?? ended[1]} after SIGTERM`);
      const left = tree.filter(isRunning);
      const names = left.map((pid) => commandOf(pid).replaceAll("\0", " ").trim()).join("; ");
      for (const pid of left) kill(pid, "SIGKILL");
      if (left.length > 0) throw new Error(`The server left processes behind: ${names}`);
    },
  };
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** A zombie has ended; nobody has asked how. */
const isRunning = (pid) => /^[^Z]/.test(statOf(pid));

/** Fields of /proc/PID/stat from the state on: the command before them stands in brackets and may hold blanks. */
const statOf = (pid) => readOr(`/proc/${pid}/stat`, "").replace(/^.*\) /s, "");

/** The process and all that descend from it; only itself where there is no /proc. */
function treeOf(pid) {
  if (!existsSync("/proc/self/stat")) return [pid];
  const children = new Map();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(statOf(name).split(" ")[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (const member of tree) tree.push(...(children.get(member) ?? []));
  return tree;
}

const commandOf = (pid) => readOr(`/proc/${pid}/cmdline`, "");

/** Memory of a process with what it shares divided among those that share it. */
function pssMb(pid) {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readOr(`/proc/${pid}/smaps_rollup`, ""))?.[1] ?? 0) / 1024;
}

function readOr(file, fallback) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return fallback;
  }
}
