import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childrenOf, postgresPids } from "./processes.ts";

const bin = fileURLToPath(new URL("../bin/tributary.js", import.meta.url));
export const adminKey = "admin-key-of-the-benchmarks";
const outputCharactersMax = 100_000;
const endMsMax = 60_000;

/** A directory for data, which ends with this process whatever ends it. Root's PostgreSQL runs as another user, who must be able to pass. */
export async function makeDataDirectory(name: string): Promise<{ dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), `bench-${name}-`));
  await chmod(dir, 0o711);
  const atExit = (): void => {
    for (const pid of postgresPids(dir).slice(0, 1)) signal(pid, "SIGQUIT");
    rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  process.once("exit", atExit);
  return {
    dir,
    async remove() {
      process.off("exit", atExit);
      await rm(dir, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    },
  };
}

const children = new Map<ChildProcess, NodeJS.Signals>();
process.once("exit", () => {
  for (const [{ pid }, name] of children) {
    if (pid === undefined) continue;
    // A server that is killed leaves its PostgreSQL behind.
    if (name === "SIGKILL") for (const own of childrenOf(pid)) signal(own, "SIGQUIT");
    signal(pid, name);
  }
});
// Without a listener a signal ends the process at once, and what it started goes on.
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => process.exit(1));

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

/** A child that ends with this process at the latest: by SIGTERM when it clears up after itself, as the programs here do. */
export function keepTrackOf<Child extends ChildProcess>(child: Child, end: "SIGTERM" | "SIGKILL" = "SIGTERM"): Child {
  children.set(child, end);
  child.once("exit", () => children.delete(child));
  return child;
}

export interface StartedServer {
  url: string;
  pid: number;
  /** SIGTERM, and SIGKILL after a minute. */
  stop(): Promise<void>;
}

/** Starts the real command on a data directory and a free port; `env` is all it gets besides. Rejects with its output when it ends instead. */
export async function startServer(dataDir: string, env: Record<string, string>): Promise<StartedServer> {
  const child = keepTrackOf(spawn(process.execPath, [bin, "start"], {
    cwd: dataDir,
    env: { PATH: process.env["PATH"] ?? "", DATA_DIR: dataDir, PORT: "0", TRIBUTARY_ADMIN_KEY: adminKey, LOG_LEVEL: "warn", DISK_RESERVE_BYTES: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  }), "SIGKILL");
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const note = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-outputCharactersMax);
      const ready = / is ready on (\S+)/.exec(output)?.[1];
      if (ready !== undefined) resolve(ready);
    };
    child.stdout.on("data", note);
    child.stderr.on("data", (chunk: Buffer) => {
      note(chunk);
      process.stderr.write(chunk);
    });
    child.once("close", (code) => reject(new Error(`the server ended with ${code} before it was ready:\n${output}`)));
  });
  child.stdout.on("data", (chunk: Buffer) => process.stderr.write(chunk));
  return {
    url,
    pid: child.pid as number,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const giveUp = setTimeout(() => child.kill("SIGKILL"), endMsMax);
      await ended.finally(() => clearTimeout(giveUp));
    },
  };
}
