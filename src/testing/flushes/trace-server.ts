import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../server-process.ts";

/** Of the system: nothing that npm installs. */
const command = "strace";
const calls = [
  "fsync", "fdatasync", "write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg",
  "read", "readv", "recvfrom", "recvmsg", "rename", "openat",
];
const shownCharacters = 3000;
const dsyncFlag = 0o10000;

export const canTrace = (): boolean => spawnSync(command, ["-V"], { stdio: "ignore" }).status === 0;

/** Traces processes, their threads and those they start, until told to stop; resolves when none of their calls can be missed. */
export async function traceServer(pids: readonly number[]): Promise<{ stop(): Promise<string> }> {
  const dir = await mkdtemp(join(tmpdir(), "tributary-trace-"));
  const file = join(dir, "trace");
  const options = ["-f", "-ttt", "-y", "-s", String(shownCharacters), "-e", `trace=${calls.join()}`, "-o", file];
  const tracer = spawn(command, [...options, ...pids.flatMap((pid) => ["-p", String(pid)])], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(tracer, "close");
  let told = "";
  tracer.stderr.on("data", (chunk: Buffer) => { told += chunk.toString(); });
  await until("all processes are traced", () => {
    if (tracer.exitCode !== null) throw new Error(`strace ended with ${tracer.exitCode}: ${told}`);
    return pids.every((pid) => told.includes(`Process ${pid} attached`));
  });
  return {
    async stop() {
      tracer.kill("SIGINT");
      await ended;
      const trace = await readFile(file, "utf8");
      await rm(dir, { recursive: true });
      return trace;
    },
  };
}

/** Descriptors of a process that are open with O_DSYNC on files below `dir`. */
export function findDsync(pid: number, dir: string): Set<number> {
  const isDsync = (fd: string): boolean => {
    try {
      const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8"))?.[1] ?? "0";
      return (Number.parseInt(flags, 8) & dsyncFlag) !== 0 && readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(dir);
    } catch {
      // Closed a moment ago.
      return false;
    }
  };
  return new Set(readdirSync(`/proc/${pid}/fd`).filter(isDsync).map(Number));
}
