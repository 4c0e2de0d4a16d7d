import { parseArgs } from "node:util";
import { runAttacks } from "./run-attacks.ts";

// npm run torture -- --minutes N [--seed S] [--only attack,attack] [--short]
// A seed gives the same attacks, events and choices again; when processes die among them is up to the machine.

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "1" }, seed: { type: "string" }, only: { type: "string", default: "" }, short: { type: "boolean", default: false } },
});
// Ending in order, so that no server stays behind.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const violations = await runAttacks({
  seed: values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed),
  ms: Number(values.minutes) * 60_000,
  short: values.short,
  only: values.only.split(",").filter(Boolean),
  print: (line) => console.log(line),
});
process.exit(violations.length === 0 ? 0 : 1);
