import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { sqlState } from "../sqlstates.ts";
import type { Account } from "./choose-account.ts";
import { superuser } from "./init-cluster.ts";
import type { Layout } from "./lay-out-folder.ts";

/** A started `postgres`. */
export interface Server {
  child: ChildProcess;
  /** Settles when the process has ended. */
  ended: Promise<void>;
  isRunning(): boolean;
  /** The last lines it wrote. */
  tail(): string;
}

const tailLinesMax = 20;
const answerMsMax = 60_000;
/** Replaying the WAL after a crash takes as long as it takes, and the server says so. */
const recoveryMsMax = 600_000;
const pollMsMin = 20;
const pollMsMax = 500;

/** Starts the program in a process group of its own, so that Ctrl-C in the terminal does not reach it before us. */
export function spawnServer(postgres: string, args: string[], layout: Layout, account: Account | undefined, onLine: (line: string) => void): Server {
  const child = spawn(postgres, args, {
    cwd: layout.root, env: { LC_ALL: "C" }, detached: true, stdio: ["ignore", "ignore", "pipe"], ...account,
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    if (lines.length > tailLinesMax) lines.shift();
    onLine(line);
  });
  let running = true;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      running = false;
      resolve();
    };
    child.once("error", (error) => {
      lines.push(error.message);
      end();
    });
    child.once("exit", end);
  });
  return { child, ended, isRunning: () => running, tail: () => lines.join("\n") };
}

async function askOnce(socketDir: string): Promise<void> {
  const client = new pg.Client({ host: socketDir, port: 5432, user: superuser, database: "postgres", connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Waits until the server answers a query. Throws with its last lines when it ends or stays silent, and when told to give up. */
export async function waitUntilReady(server: Server, socketDir: string, giveUp: AbortSignal): Promise<void> {
  const startMs = performance.now();
  for (let pollMs = pollMsMin; ; pollMs = Math.min(pollMs * 1.2, pollMsMax)) {
    if (!server.isRunning()) throw new Error(`The embedded PostgreSQL ended while starting:\n${server.tail()}`);
    const failure = await askOnce(socketDir).then(() => undefined, (error: unknown) => error as { code?: string });
    if (failure === undefined && server.isRunning()) return;
    giveUp.throwIfAborted();
    const waitMsMax = failure?.code === sqlState.cannotConnectNow ? recoveryMsMax : answerMsMax;
    if (performance.now() - startMs > waitMsMax) throw new Error(`The embedded PostgreSQL does not answer:\n${server.tail()}`, { cause: failure });
    await Promise.race([delay(pollMs), server.ended]);
  }
}

const fastMsMax = 20_000;
const immediateMsMax = 10_000;

/** Fast shutdown; after 20 s an immediate one, which the next start recovers from; then the signal nobody can refuse. */
export async function stopServer(server: Server): Promise<void> {
  for (const [signal, msMax] of [["SIGINT", fastMsMax], ["SIGQUIT", immediateMsMax], ["SIGKILL", immediateMsMax]] as const) {
    if (!server.isRunning()) return;
    server.child.kill(signal);
    await Promise.race([server.ended, delay(msMax, undefined, { ref: false })]);
  }
}
