import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Linux counts CPU time in hundredths of a second. */
const ticksPerSecond = 100;

export interface Usage {
  /** CPU seconds of all threads, in user and in system mode. */
  cpuS: number;
  /** Of those, what the main thread took: JavaScript. The engines in the process, most garbage collection and the compiler have threads of their own. */
  mainThreadCpuS: number;
  /** Handed to the disk. */
  writtenBytes: number;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** utime and stime stand after the name, which may hold anything, in brackets. */
function cpuOf(statPath: string): number {
  const fields = read(statPath)?.replace(/^.*\) /s, "").split(" ") ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}

function usageOf(pid: number): Usage {
  const written = /^write_bytes: (\d+)$/m.exec(read(`/proc/${pid}/io`) ?? "")?.[1];
  return { cpuS: cpuOf(`/proc/${pid}/stat`), mainThreadCpuS: cpuOf(`/proc/${pid}/task/${pid}/stat`), writtenBytes: Number(written ?? 0) };
}

/** Bytes of memory of a process, what it shares with others counted in proportion (PSS); 0 when it is gone or may not be looked at. */
export function memoryOf(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "")?.[1] ?? 0) * 1024;
}

export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => (read(`/proc/${pid}/task/${thread}/children`) ?? "").split(" ").filter(Boolean).map(Number));
  } catch {
    return [];
  }
}

/** The embedded PostgreSQL of a data directory: its postmaster and what that has started. Empty when it does not run. */
export function postgresPids(dataDir: string): number[] {
  const pid = Number.parseInt(read(join(dataDir, "postgres/data/postmaster.pid")) ?? "", 10);
  if (!Number.isSafeInteger(pid) || !read(`/proc/${pid}/cmdline`)?.includes(dataDir)) return [];
  return [pid, ...childrenOf(pid)];
}

/** What a changing group of processes has used up, those that have ended since included. */
export interface UsageMeter {
  read(): Usage;
}

/** Counts what every process used that was ever seen; look often, what a process does after the last look before its end is lost. */
export function createUsageMeter(pids: () => number[]): UsageMeter {
  const seen = new Map<number, Usage>();
  return {
    read() {
      for (const pid of pids()) seen.set(pid, usageOf(pid));
      return [...seen.values()].reduce(add, { cpuS: 0, mainThreadCpuS: 0, writtenBytes: 0 });
    },
  };
}

const add = (a: Usage, b: Usage): Usage => combine(a, b, 1);
export const since = (now: Usage, before: Usage): Usage => combine(now, before, -1);

function combine(a: Usage, b: Usage, sign: 1 | -1): Usage {
  return {
    cpuS: a.cpuS + sign * b.cpuS, mainThreadCpuS: a.mainThreadCpuS + sign * b.mainThreadCpuS, writtenBytes: a.writtenBytes + sign * b.writtenBytes,
  };
}
