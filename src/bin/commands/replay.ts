import type { Command } from "commander";
import { CommandError } from "./command-error.ts";
import { printFields } from "./print-fields.ts";
import { readConnection, requestData } from "./server-connection.ts";

interface ReplayFlags {
  eventId?: string[];
  source?: string;
  from?: string;
  to?: string;
}

export function addReplayCommand(program: Command): void {
  program
    .command("replay")
    .description("apply quarantined events with their own times and ids")
    .option("--event-id <id...>", "these events")
    .option("--source <id>", "the events of this source")
    .option("--from <time>", "from this event time on (ISO-8601)")
    .option("--to <time>", "up to this event time (ISO-8601)")
    .action(async (flags: ReplayFlags) => {
      printFields(await requestData(readConnection(process.env), "/api/cdp/quarantine/replay", toReplayBody(flags)));
    });
}

/** Ids or a range, never both; with neither everything would be replayed by a slip, so one is asked for. */
function toReplayBody({ eventId, source, from, to }: ReplayFlags): object {
  if (eventId && (source ?? from ?? to) !== undefined) throw new CommandError("Give --event-id alone, or --source, --from and --to.");
  if (eventId) return { eventIds: eventId };
  if ((source ?? from ?? to) === undefined) throw new CommandError("Say what to replay: --event-id, --source, --from or --to.");
  return { sourceId: source, from, to };
}
