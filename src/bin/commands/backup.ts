import type { Command } from "commander";
import type { BackupFlags } from "./run-backup-command.ts";

export function addBackupCommand(program: Command): void {
  program
    .command("backup")
    .description("store everything of a running server in a directory (needs the admin key)")
    .argument("<directory>", "where the backups are; each becomes a directory of its own in it")
    .option("--full", "all of history, also when an earlier backup has a part of it")
    .option("--keys <directory>", "copy the keys to this directory too; never the same as the backups'")
    .addHelpText("after", "\nOf history it stores what came after the newest backup there. A backup is of no use without the keys, and holds none.")
    .action(async (directory: string, flags: BackupFlags) => {
      const { runBackupCommand } = await import("./run-backup-command.ts");
      await runBackupCommand(directory, flags);
    });
}
