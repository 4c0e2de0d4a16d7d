import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { superuser } from "../stores/postgres/embedded/init-cluster.ts";
import type { PostgresSettings } from "../stores/postgres/pool.ts";

const bin = fileURLToPath(new URL("../../bin/tributary.js", import.meta.url));
const outputCharactersMax = 200_000;
const endMsMax = 60_000;

/** The bootstrap key of every server started here. */
export const adminKey = "admin-key-of-the-tests";

/** Windows so short that a test waits for nothing but work. */
const quick = { EVENT_PROCESSOR_WINDOW_SIZE: "100ms", EVENT_PROCESSOR_TICKER_INTERVAL: "25ms" };

export interface Ended {
  /** Null when a signal ended it. */
  code: number | null;
  output: string;
}

/** A server of the real command on a data directory, run by hand: started, killed and stopped as often as a test likes. */
export interface ServerProcess {
  /** The same for all its starts. */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** Starts it and resolves when it is ready. Rejects with its output when it ends instead. */
  start(env?: Record<string, string>): Promise<void>;
  /** Starts it and resolves when it has ended: for starts that must be refused. */
  runToEnd(env?: Record<string, string>): Promise<Ended>;
  /** Starts it without waiting: the door may open before it is ready. */
  launch(env?: Record<string, string>): void;
  /** Resolves when the server that was launched is ready. */
  ready(): Promise<void>;
  /** `kill -9`, and waits until it is gone. Its PostgreSQL stays. */
  kill(): Promise<void>;
  /** `kill -9` of the whole process group and of the embedded PostgreSQL's, at once. For an `entry` of its own only. */
  killGroup(): Promise<void>;
  /** Resolves when the server of the last start has ended, by whatever. */
  ended(): Promise<Ended>;
  /** Sends a message to an `entry` of its own; lost when it does not run any more. */
  tell(message: object): void;
  /** Messages of an `entry` of its own go here. */
  onMessage: (message: unknown) => void;
  /** Process ids of the server and of the embedded PostgreSQL, those that run. Linux only. */
  pids(): number[];
  /** Signals the embedded PostgreSQL: its postmaster alone, whose backends are left to notice, or all its processes. Linux only. */
  signalPostgres(name: NodeJS.Signals, whom: "postmaster" | "all"): void;
  /** SIGTERM. Resolves when it has ended; kills it after a minute. */
  stop(): Promise<Ended>;
  /** What it has written since its last start. */
  output(): string;
  /** Ends everything and removes the data directory. */
  remove(): Promise<void>;
}

/** Where the embedded PostgreSQL of a data directory can be reached while it runs. */
export const databaseOf = (dataDir: string): PostgresSettings => ({ host: join(dataDir, "postgres/run"), port: 5432, user: superuser, database: "tributary" });

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

interface Running {
  child: ChildProcess;
  output: string;
  ended: Promise<Ended>;
  ready: Promise<void>;
}

function run(dataDir: string, port: number, env: Record<string, string>, entry?: string): Running {
  const child = spawn(process.execPath, entry === undefined ? [bin, "start"] : [entry], {
    cwd: dataDir,
    detached: entry !== undefined,
    env: {
      PATH: process.env["PATH"] ?? "", DATA_DIR: dataDir, PORT: String(port), TRIBUTARY_ADMIN_KEY: adminKey, LOG_LEVEL: "warn",
      DISK_RESERVE_BYTES: "0", SHUTDOWN_TIMEOUT: "55s", ...quick, ...env,
    },
    stdio: ["ignore", "pipe", "pipe", ...(entry === undefined ? [] : ["ipc" as const])],
  });
  const running = { child, output: "" } as Running;
  running.ended = new Promise((resolve) => child.once("close", (code) => resolve({ code, output: running.output })));
  running.ready = new Promise((resolve, reject) => {
    const note = (chunk: Buffer): void => {
      running.output = (running.output + chunk.toString()).slice(-outputCharactersMax);
      if (running.output.includes("is ready on")) resolve();
    };
    child.stdout?.on("data", note);
    child.stderr?.on("data", note);
    void running.ended.then(({ code, output }) => reject(new Error(`the server ended with ${code} before it was ready:\n${output}`)));
  });
  // Whoever does not wait for it is not interested in its failure.
  running.ready.catch(() => undefined);
  return running;
}

function postmasterPid(dataDir: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(dataDir, "postgres/data/postmaster.pid"), "utf8"), 10);
    return Number.isSafeInteger(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dataDir) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** The processes of the embedded PostgreSQL of a data directory, its postmaster first. Linux only. */
export function postgresPids(dataDir: string): number[] {
  const pid = postmasterPid(dataDir);
  return pid === undefined ? [] : [pid, ...childrenOf(pid)];
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

/**
 * A server on a new data directory and a free port, not started yet. `env` is for all its starts; `entry` is a file to run in
 * place of the command, in a process group of its own and with a channel for messages. Call `remove` in the end.
 */
export async function createServerProcess(env: Record<string, string> = {}, entry?: string): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), "tributary-server-"));
  // Root's PostgreSQL runs as another user, who must be able to pass.
  await chmod(dataDir, 0o711);
  const port = await findFreePort();
  let running: Running | undefined;
  const children = new Set<ChildProcess>();

  const launch = (onPort: number, more: Record<string, string>): Running => {
    const launched = run(dataDir, onPort, { ...env, ...more }, entry);
    children.add(launched.child);
    launched.child.on("message", (message) => server.onMessage(message));
    void launched.ended.then(() => children.delete(launched.child));
    return launched;
  };
  const now = (): Running => {
    if (!running) throw new Error("the server was not started");
    return running;
  };
  const endAll = (): void => {
    for (const child of children) child.kill("SIGKILL");
    signal(postmasterPid(dataDir), "SIGQUIT");
    signal(postmasterPid(dataDir), "SIGCONT");
  };
  /** For a run that ends without its teardown: nothing may stay behind. */
  const atExit = (): void => {
    endAll();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20 });
  };
  process.once("exit", atExit);

  const server: ServerProcess = {
    url: `http://127.0.0.1:${port}`,
    port,
    dataDir,
    launch(more = {}) {
      running = launch(port, more);
    },
    ready: () => now().ready,
    async start(more) {
      server.launch(more);
      await server.ready();
    },
    runToEnd: (more = {}) => launch(0, more).ended,
    async kill() {
      now().child.kill("SIGKILL");
      await now().ended;
    },
    async killGroup() {
      const { child, ended } = now();
      for (const leader of [child.pid, postmasterPid(dataDir)]) signal(leader && -leader, "SIGKILL");
      await ended;
    },
    ended: () => now().ended,
    tell(message) {
      const { child } = now();
      if (child.connected) child.send(message, () => undefined);
    },
    onMessage: () => undefined,
    pids: () => [...(running?.child.exitCode === null && running.child.pid !== undefined ? [running.child.pid] : []), ...postgresPids(dataDir)],
    signalPostgres(name, whom) {
      const pids = postgresPids(dataDir);
      if (pids.length === 0) throw new Error("the embedded PostgreSQL does not run");
      for (const one of whom === "all" ? pids : pids.slice(0, 1)) signal(one, name);
    },
    async stop() {
      const { child, ended } = now();
      child.kill("SIGTERM");
      const giveUp = setTimeout(() => child.kill("SIGKILL"), endMsMax);
      return await ended.finally(() => clearTimeout(giveUp));
    },
    output: () => now().output,
    async remove() {
      endAll();
      await running?.ended;
      await until("all has ended", () => children.size === 0 && postmasterPid(dataDir) === undefined);
      process.off("exit", atExit);
      await rm(dataDir, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    },
  };
  return server;
}

/** Asks again and again until the condition holds; throws after `msMax`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, msMax = 60_000): Promise<void> {
  const endMs = performance.now() + msMax;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`waited ${msMax} ms in vain: ${what}`);
    await pause(20);
  }
}
