import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";
import { numberOption, readOptions, type Options } from "./options.ts";
import { describeMachine, writeReport, type Report } from "./report.ts";
import { keepTrackOf } from "./start-server.ts";
import { median } from "./statistics.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Options of the comparison; the benchmark gets all others. */
const own = new Set(["rounds", "json", "own-bench"]);

const git = (...words: string[]): string => execFileSync("git", words, { cwd: root, encoding: "utf8" }).trim();

/**
 * The same benchmark on this checkout and on another commit, in turns (A B A B …), so that what else the machine does falls on
 * both. The other commit is measured with this checkout's `bench/`, so that the question is the same; `--own-bench` keeps its
 * own. Prints the median of each figure's rounds and their ratio.
 */
export async function compare(words: readonly string[]): Promise<void> {
  const [commit, bench, ...rest] = words;
  if (commit === undefined || bench === undefined) throw new Error("expected: compare <commit> <benchmark> [options]");
  const options = readOptions(rest);
  const rounds = numberOption(options, "rounds", 3);
  const here = git("rev-parse", "--short", "HEAD");
  const there = git("rev-parse", "--short", `${commit}^{commit}`);
  const tree = checkOut(there, options["own-bench"] === undefined);
  const reports = { before: [] as Report[], now: [] as Report[] };
  for (let at = 1; at <= rounds; at++) {
    process.stderr.write(`round ${at} of ${rounds}: ${there}\n`);
    reports.before.push(await runIn(tree, bench, options));
    process.stderr.write(`round ${at} of ${rounds}: this checkout (${here})\n`);
    reports.now.push(await runIn(root, bench, options));
  }
  const figures = compareFigures(reports.before, reports.now);
  process.stdout.write(formatComparison(figures, there, here, rounds));
  if (options["json"] !== undefined) {
    const seconds = [...reports.before, ...reports.now].reduce((sum, report) => sum + report.seconds, 0);
    writeReport({ bench: `compare ${there} ${bench}`, options, machine: describeMachine(), seconds, figures }, options["json"]);
  }
}

/** A worktree of the commit in the system's temporary directory, removed when this process ends. */
function checkOut(commit: string, withOurBench: boolean): string {
  const parent = mkdtempSync(join(tmpdir(), "bench-compare-"));
  const tree = join(parent, "tree");
  process.once("exit", () => {
    try {
      git("worktree", "remove", "--force", tree);
    } catch {
      // It was not made, or the repository is gone.
    }
    rmSync(parent, { recursive: true, force: true });
  });
  // Root's PostgreSQL runs as another user, who must be able to pass to its programs.
  chmodSync(parent, 0o755);
  git("worktree", "add", "--detach", tree, commit);
  if (withOurBench) {
    rmSync(join(tree, "bench"), { recursive: true, force: true });
    cpSync(join(root, "bench"), join(tree, "bench"), { recursive: true });
  }
  installInto(tree);
  return tree;
}

function installInto(tree: string): void {
  const lockfile = (dir: string): string => readFileSync(join(dir, "package-lock.json"), "utf8");
  if (existsSync(join(root, "node_modules")) && lockfile(tree) === lockfile(root)) symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  else execFileSync("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: tree, stdio: ["ignore", 2, 2] });
}

async function runIn(tree: string, bench: string, options: Options): Promise<Report> {
  const json = join(mkdtempSync(join(tmpdir(), "bench-report-")), "report.json");
  const words = Object.entries(options).filter(([name]) => !own.has(name)).map(([name, value]) => `--${name}=${value}`);
  const child = keepTrackOf(spawn(process.execPath, [join(tree, "bench/run.ts"), bench, ...words, `--json=${json}`], { cwd: tree, stdio: ["ignore", 2, 2] }));
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0) throw new Error(`${bench} in ${tree} ended with ${code}`);
    return JSON.parse(await readFile(json, "utf8")) as Report;
  } finally {
    rmSync(join(json, ".."), { recursive: true, force: true });
  }
}

interface Compared {
  name: string;
  unit: string;
  value: number;
  floor: { name: string; value: number };
  detail: Record<string, string>;
}

/** Figures that both have: this checkout's median as the value, the other's in the place of the floor; the same for what else was measured. */
function compareFigures(before: Report[], now: Report[]): Compared[] {
  const figuresOf = (reports: Report[], name: string): Figure[] => reports.flatMap(({ figures }) => figures.filter((figure) => figure.name === name));
  // What is not a number in a figure is null in JSON.
  const valuesOf = (figures: Figure[]): number[] => figures.map(({ value }) => value ?? Number.NaN);
  return (now[0]?.figures ?? []).flatMap(({ name, unit, detail = {} }) => {
    const [old, own] = [figuresOf(before, name), figuresOf(now, name)];
    if (old.length === 0) return [];
    const inDetail = (figures: Figure[], what: string): number => median(figures.map((figure) => Number(figure.detail?.[what] ?? Number.NaN)));
    const more = Object.entries(detail).filter(([, value]) => typeof value === "number").map(([what]) => [what, `${inDetail(old, what)} → ${inDetail(own, what)}`]);
    return [{
      name, unit, value: median(valuesOf(own)), floor: { name: "before", value: median(valuesOf(old)) },
      detail: { "rounds before": valuesOf(old).join(", "), "rounds now": valuesOf(own).join(", "), ...Object.fromEntries(more) as Record<string, string> },
    }];
  });
}

function formatComparison(figures: Compared[], there: string, here: string, rounds: number): string {
  const lines = figures.flatMap(({ name, unit, value, floor, detail }) => [
    "", name, `  ${there}: ${floor.value} ${unit}, ${here}+: ${value} ${unit}, ratio ${(value / floor.value).toFixed(2)}`,
    ...Object.entries(detail).map(([what, values]) => `    ${what}: ${values}`),
  ]);
  return `${[`medians of ${rounds} rounds in turns, ${there} → this checkout`, ...lines, ""].join("\n")}\n`;
}
