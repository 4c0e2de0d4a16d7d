import { resolve, sep } from "node:path";
import { BackupError, listBackups, sizeOf, storeBackup, type StoredBackup } from "../../backup/index.ts";
import type { BackupPlan } from "../../contracts/backup.ts";
import { keepKeys } from "../restore/bring-keys.ts";
import { readSettings, SettingsError } from "../settings.ts";
import { CommandError } from "./command-error.ts";
import { readConnection, requestStream } from "./server-connection.ts";
import { showBytes } from "./show-bytes.ts";

export interface BackupFlags {
  full?: boolean;
  keys?: string;
}

const interrupted = 130;

/** Takes a backup from the server; sets the exit code. Throws a `CommandError` when it fails. */
export async function runBackupCommand(directory: string, { full, keys }: BackupFlags): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  try {
    if (keys !== undefined) await keepApart(directory, keys);
    const { path, manifest } = await takeBackup(directory, full === true, stop.signal);
    const kind = manifest.base === null ? "full" : "incremental";
    print(`${path}: ${kind}, everything accepted before ${manifest.startedAt}; ${manifest.events} events of history in it.`);
    print(keys === undefined ? "Keys are not in it. Keep the admin key and the pepper (DATA_DIR/secrets) in another place: --keys DIRECTORY copies them." : `Keys are in ${keys}.`);
  } catch (error) {
    if (stop.signal.aborted) {
      warn("Interrupted; what was stored of the backup is removed.");
      process.exitCode = interrupted;
    } else throw explain("backup", error);
  }
}

async function takeBackup(directory: string, full: boolean, signal: AbortSignal): Promise<StoredBackup> {
  const connection = readConnection(process.env);
  const newest = full ? undefined : (await listBackups(directory)).at(-1);
  const base = newest && { id: newest.manifest.id, place: newest.manifest.place, marks: newest.manifest.marks };
  const archive = await requestStream(connection, "/api/cdp/backup", { base }, signal).catch((error: unknown) => {
    throw base && error instanceof CommandError && error.message.includes("conflict") ? new CommandError(`${error.message} (--full)`, error) : error;
  });
  const progress = showBytes(process.stderr);
  const name = `${new Date().toISOString().replaceAll(/[:.]/g, "-")}-${base ? "incremental" : "full"}`;
  let plan: BackupPlan | undefined;
  const stored = await storeBackup(archive, directory, name, {
    planned: (told) => (plan = told),
    arrived: (bytes, path) => progress.add(bytes, path.startsWith("events") ? `history (${plan?.events ?? 0} events)` : (path.split("/")[0] ?? path)),
  });
  print(`Stored ${progress.total(sizeOf(stored.manifest.files).bytesRaw)}.`);
  return stored;
}

/** Keys beside the data they open would be worth nothing. */
async function keepApart(directory: string, keys: string): Promise<void> {
  const [backups, kept] = [resolve(directory), resolve(keys)];
  if (kept === backups || kept.startsWith(backups + sep)) throw new CommandError("--keys must be a directory outside of the backups': whoever has both has everything.");
  await keepKeys(readSettings(process.env, process.cwd()).dataDir, keys);
}

/** What ended a backup or a restore, in a sentence. */
export function explain(work: "backup" | "restore", error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof BackupError || error instanceof SettingsError) return new CommandError(error.message, error);
  const { message, cause } = error as Error;
  return new CommandError(`The ${work} failed: ${message}${cause instanceof Error ? ` (${cause.message})` : ""}`, error);
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const warn = (line: string): void => void process.stderr.write(`${line}\n`);
