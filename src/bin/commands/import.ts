import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDurationMs } from "../../core/time.ts";
import type { ImportFlags } from "./run-import-command.ts";

export function addImportCommand(program: Command): void {
  program
    .command("import")
    .description("import events from a CSV or NDJSON file")
    .argument("<file>", "CSV, TSV, NDJSON or JSONL, also .gz; - reads standard input")
    .option("--mapping <file>", "JSON file that says how a row becomes an event")
    .addOption(new Option("--set <path=value>", "one setting of the mapping, over the file's (repeatable)").argParser(append).default([], "none"))
    .option("--source <name>", "name of where the rows come from, over the mapping's")
    .addOption(new Option("--format <format>", "when the file name does not tell it").choices(["csv", "tsv", "ndjson"]))
    .option("--batch <rows>", "rows in a request", parseCount(1000), 500)
    .option("--concurrency <requests>", "requests at a time", parseCount(64), 4)
    .option("--rejects <file>", "where rejected rows go (default: FILE.rejects.ndjson)")
    .option("--state <file>", "where the progress is kept (default: FILE.import-state.json)")
    .option("--restart", "begin at the first row although an interrupted import could go on")
    .addOption(new Option("--give-up-after <duration>", "how long one batch may be refused or unanswered").argParser(parseDuration).default(30 * 60_000, "30m"))
    .option("--dry-run", "map the rows and show what would be sent; sends and writes nothing")
    .addHelpText("after", "\nExit code: 0 every row accepted, 2 some rows rejected, 1 failed, 130 interrupted.")
    .action(async (file: string, flags: ImportFlags) => {
      // Loaded when it is needed, because no other command needs what it brings.
      const { runImportCommand } = await import("./run-import-command.ts");
      await runImportCommand(file, flags);
    });
}

function parseCount(max: number): (text: string) => number {
  return function count(text) {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`expected a whole number from 1 to ${max}`);
  };
}

const append = (value: string, all: string[]): string[] => [...all, value];

function parseDuration(text: string): number {
  const value = parseDurationMs(text);
  if (value === undefined) throw new InvalidArgumentError("expected a duration such as 30s, 10m or 2h");
  return value;
}
