import { pino } from "pino";
import { BackupError, type Chain, readChain, sizeOfChain, verifyFiles } from "../../backup/index.ts";
import { requireSamePepper } from "../restore/bring-keys.ts";
import { requireEmptyDirectory, requireKnownSchema } from "../restore/check-target.ts";
import { restorePlace } from "../restore/restore-place.ts";
import { readSettings, type Settings } from "../settings.ts";
import { explain } from "./run-backup-command.ts";
import { showBytes } from "./show-bytes.ts";

export interface RestoreFlags {
  keys?: string;
  check?: boolean;
}

/** Restores a backup, or only checks it; nothing is written before everything is checked. Throws a `CommandError` when it fails. */
export async function runRestoreCommand(backup: string, { keys, check }: RestoreFlags): Promise<void> {
  try {
    const settings = readSettings(process.env, process.cwd());
    const chain = await readChain(backup);
    if (!check) await requireTarget(chain, settings, keys);
    await verify(chain);
    if (!check) await restore(chain, settings, keys);
  } catch (error) {
    throw explain("restore", error);
  }
}

async function requireTarget(chain: Chain, settings: Settings, keys: string | undefined): Promise<void> {
  await requireKnownSchema(chain);
  await requireEmptyDirectory(settings.dataDir);
  await requireSamePepper(chain, settings, keys);
}

async function verify(chain: Chain): Promise<void> {
  const progress = showBytes(process.stderr, sizeOfChain(chain).bytes);
  await verifyFiles(chain, (bytes) => progress.add(bytes, "checking"));
  print(`Checked ${progress.total()}: ${chain.backups.length} backup${chain.backups.length > 1 ? "s" : ""}, all files as they were written.`);
}

async function restore(chain: Chain, settings: Settings, keysDir: string | undefined): Promise<void> {
  const { bytes: bytesTotal, bytesRaw } = sizeOfChain(chain);
  const progress = showBytes(process.stderr, bytesTotal);
  const stop = new AbortController();
  // In order: an embedded PostgreSQL would go on running without us.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort(new BackupError("Interrupted: what was restored is of no use. Empty the target and restore again.")));
  await restorePlace({
    chain, settings, keysDir, signal: stop.signal, logger: pino({ level: settings.logLevel === "info" ? "warn" : settings.logLevel }, pino.destination(2)),
    told(bytes) {
      stop.signal.throwIfAborted();
      progress.add(bytes, "restoring");
    },
    say: print,
  });
  print(`Restored ${progress.total(bytesRaw)} into ${settings.dataDir}: everything accepted before ${chain.newest.startedAt}.`);
  print("The admin key is the one of the backed up server; TRIBUTARY_ADMIN_KEY sets another. The old server must not run any more: both would send to the same receivers.");
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
