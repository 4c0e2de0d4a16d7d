import type { Command } from "commander";
import type { RestoreFlags } from "./run-restore-command.ts";

export function addRestoreCommand(program: Command): void {
  program
    .command("restore")
    .description("make a server's place from a backup: an empty DATA_DIR, or the empty databases of the settings")
    .argument("<backup>", "directory of one backup, with those it builds on beside it")
    .option("--keys <directory>", "where the keys are kept (default: TRIBUTARY_PEPPER, else DATA_DIR/secrets)")
    .option("--check", "only read the backup and compare its checksums")
    .addHelpText("after", "\nTakes the settings that `start` takes. No server starts on a place whose restore did not come to its end.")
    .action(async (backup: string, flags: RestoreFlags) => {
      const { runRestoreCommand } = await import("./run-restore-command.ts");
      await runRestoreCommand(backup, flags);
    });
}
