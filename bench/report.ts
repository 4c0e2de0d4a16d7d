import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, platform, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";

/** Where figures come from: without it they say nothing. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  system: string;
  node: string;
  /** Of the checkout; a `+` says that files were changed since. */
  commit: string;
  at: string;
}

export interface Report {
  bench: string;
  options: Record<string, string | undefined>;
  machine: Machine;
  seconds: number;
  figures: Figure[];
}

const root = fileURLToPath(new URL("..", import.meta.url));

function git(...words: string[]): string {
  try {
    return execFileSync("git", words, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

export function describeMachine(): Machine {
  const all = cpus();
  const changed = git("status", "--porcelain", "--", "src", "migrations", "package-lock.json") === "" ? "" : "+";
  return {
    cpu: all[0]?.model ?? "unknown", cores: all.length, memoryGb: Math.round(totalmem() / 1024 ** 3), system: `${platform()} ${release()}`,
    node: process.version, commit: `${git("rev-parse", "--short", "HEAD") || "unknown"}${changed}`, at: new Date().toISOString(),
  };
}

/** Four digits are more than any of these figures is good for. */
const shown = (value: number): string =>
  Number.isNaN(value) ? "–" : Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(4)));

/** Value over floor; undefined where there is none. */
export const ratioOf = ({ value, floor }: Figure): number | undefined => (floor ? value / floor.value : undefined);

const columns = ["measured", "value", "unit", "floor", "ratio", "goal"];

/** A table of the figures, and under it what else each measurement found. */
export function formatReport({ bench, machine, seconds, figures }: Report): string {
  const rows = figures.map((figure) => [
    figure.name, shown(figure.value), figure.unit, figure.floor ? shown(figure.floor.value) : "–", ratioOf(figure)?.toFixed(2) ?? "–", figure.goal ?? "–",
  ]);
  const widths = columns.map((name, at) => Math.max(...[columns, ...rows].map((row) => (row[at] ?? name).length)));
  const line = (cells: string[]): string => cells.map((cell, at) => (at === 1 || at === 3 || at === 4 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join("  ").trimEnd();
  const details = figures.flatMap(({ name, floor, detail = {} }) => [
    "", name, ...(floor ? [`  floor: ${floor.name}`] : []),
    ...Object.entries(detail).map(([what, value]) => `  ${what}: ${typeof value === "number" ? shown(value) : value}`),
  ]);
  return [
    `${bench} · ${machine.cpu} × ${machine.cores}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, ${machine.commit}, ${Math.round(seconds)} s`,
    "", line(columns), line(widths.map((width) => "─".repeat(width))), ...rows.map(line), ...details, "",
  ].join("\n");
}

export function writeReport(report: Report, file: string): void {
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}
