import { readFileSync } from "node:fs";

export interface MemoryWatch {
  /** Megabytes of each second so far: the sum of PSS over all processes. */
  samples: number[];
  stop(): void;
}

const everyMs = 1000;
const kbPerMb = 1024;

/** A process's share of physical memory in kB: shared pages are divided among those who share them. */
function pssKb(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    // It ended a moment ago.
    return 0;
  }
}

/** Looks each second at the memory of the processes that `pids` names then. Linux only. */
export function watchMemory(pids: () => number[]): MemoryWatch {
  const samples: number[] = [];
  const timer = setInterval(() => {
    const kb = pids().reduce((sum, pid) => sum + pssKb(pid), 0);
    if (kb > 0) samples.push(Math.round(kb / kbPerMb));
  }, everyMs);
  timer.unref();
  return { samples, stop: () => clearInterval(timer) };
}

const bars = "▁▂▃▄▅▆▇█";

/** The samples as a line of bars, each the largest of its stretch; the lowest bar is 0. */
export function drawCurve(samples: readonly number[], widthMax = 60): string {
  const most = Math.max(1, ...samples);
  const stretch = Math.max(1, Math.ceil(samples.length / widthMax));
  const peaks = Array.from({ length: Math.ceil(samples.length / stretch) }, (_, i) => Math.max(...samples.slice(i * stretch, (i + 1) * stretch)));
  return peaks.map((peak) => bars[Math.round((peak / most) * (bars.length - 1))]).join("");
}
