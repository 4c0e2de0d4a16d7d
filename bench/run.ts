import type { Figure } from "./figure.ts";
import { readOptions, type Options } from "./options.ts";
import { describeMachine, formatReport, writeReport } from "./report.ts";

type Bench = (options: Options) => Promise<Figure[]>;

/** Each loaded only when it is asked for: one that does not load keeps the others from nothing. */
const benches: Record<string, () => Promise<Bench>> = {
  accept: async () => (await import("./accept.ts")).benchAccept,
  "end-to-end": async () => (await import("./end-to-end.ts")).benchEndToEnd,
  read: async () => (await import("./read.ts")).benchRead,
  growth: async () => (await import("./growth.ts")).benchGrowth,
  log: async () => (await import("./event-log.ts")).benchLog,
  soak: async () => (await import("./soak.ts")).benchSoak,
};

const usage = `npm run bench -- <${Object.keys(benches).join("|")}> [--option value …] [--json FILE]
npm run bench -- compare <commit> <benchmark> [--rounds 3] [--option value …] [--json FILE]
What each does and its options: docs/benchmarks.md
`;

async function run(name: string, load: () => Promise<Bench>, options: Options): Promise<void> {
  const machine = describeMachine();
  const startMs = performance.now();
  const figures = await (await load())(options);
  const report = { bench: name, options, machine, seconds: (performance.now() - startMs) / 1000, figures };
  process.stdout.write(`${formatReport(report)}\n`);
  if (options["json"] !== undefined) writeReport(report, options["json"]);
}

const [name = "", ...words] = process.argv.slice(2);
const bench = benches[name];
if (bench) await run(name, bench, readOptions(words));
else if (name === "compare") await (await import("./compare.ts")).compare(words);
else {
  process.stderr.write(usage);
  process.exitCode = 2;
}
