import { readFileSync } from "node:fs";
import { Command } from "commander";
import { CommandError } from "./commands/command-error.ts";
import { addBackupCommand } from "./commands/backup.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addImportCommand } from "./commands/import.ts";
import { addKeysCommand } from "./commands/keys.ts";
import { addReplayCommand } from "./commands/replay.ts";
import { addRestoreCommand } from "./commands/restore.ts";
import { addStartCommand } from "./commands/start.ts";

/** Settings of a `.env` file in the working directory; what the environment already has stays. */
function loadEnvironmentFile(): void {
  try {
    process.loadEnvFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function createProgram(): Command {
  const program = new Command("tributary")
    .description("Tributary, an open-source Customer Data Platform")
    .version(readVersion())
    .addHelpText("after", "\nCommands but `start` and `restore` speak to the server at TRIBUTARY_URL (default http://127.0.0.1:3001) with TRIBUTARY_API_KEY.");
  for (const add of [addStartCommand, addImportCommand, addKeysCommand, addReplayCommand, addBackupCommand, addRestoreCommand, addDoctorCommand]) add(program);
  return program;
}

try {
  loadEnvironmentFile();
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
