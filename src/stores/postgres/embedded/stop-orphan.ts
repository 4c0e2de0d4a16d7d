import { readFile, readlink, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../../contracts/logger.ts";
import { readCommandLine, readStartMark } from "./inspect-process.ts";
import type { Layout } from "./lay-out-folder.ts";

const fastMsMax = 10_000;
const immediateMsMax = 10_000;
const pollMs = 50;

/** The lock file's first line is the pid; the later ones name the shared memory. */
async function readLockPid(lockFile: string): Promise<{ pid: number; rest: string } | undefined> {
  const text = await readFile(lockFile, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const end = text.indexOf("\n");
  return { pid: Math.abs(Number(text.slice(0, end))), rest: text.slice(end) };
}

/** The postmaster keeps its command line, its backends rename themselves. It works in its data directory, which only Linux shows. */
async function isPostmasterOf(pid: number, cluster: string): Promise<boolean> {
  const command = await readCommandLine(pid);
  if (command === undefined || basename(command[0] ?? "") !== "postgres") return false;
  return command.join(" ").includes(cluster) || (await readlink(`/proc/${pid}/cwd`).catch(() => "")) === cluster;
}

async function hasEnded(pid: number, msMax: number): Promise<boolean> {
  for (let waited = 0; waited < msMax; waited += pollMs) {
    if ((await readStartMark(pid)) === undefined) return true;
    await delay(pollMs);
  }
  return false;
}

async function stopPostmaster(pid: number, log: Logger): Promise<void> {
  log.warn({ pid }, "An embedded PostgreSQL was left running by a process that was killed; stopping it.");
  process.kill(pid, "SIGINT");
  if (await hasEnded(pid, fastMsMax)) return;
  process.kill(pid, "SIGQUIT");
  if (await hasEnded(pid, immediateMsMax)) return;
  throw new Error(`The embedded PostgreSQL that was left running (process ${pid}) does not stop. Stop it and start again.`);
}

/**
 * Stops a server that still runs on this cluster. If there is none, the pid in its lock file may by now be another
 * program's, or a dead one nobody collected, and PostgreSQL would refuse to start: it is replaced by ours, which PostgreSQL
 * ignores as its parent's. The line that names the shared memory stays, so that backends which still run are noticed.
 */
export async function stopOrphan(layout: Layout, log: Logger): Promise<void> {
  const lockFile = join(layout.cluster, "postmaster.pid");
  const lock = await readLockPid(lockFile);
  if (lock !== undefined) {
    if (await isPostmasterOf(lock.pid, layout.cluster)) await stopPostmaster(lock.pid, log);
    else await writeFile(lockFile, `${process.pid}${lock.rest}`);
  }
  await rm(join(layout.socketDir, ".s.PGSQL.5432.lock"), { force: true });
}
