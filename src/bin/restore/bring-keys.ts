import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BackupError, type Chain } from "../../backup/index.ts";
import { fingerprintOf } from "../../stores/postgres/require-same-secret.ts";
import { parseSecret, writePrivate } from "../secrets.ts";
import type { Settings } from "../settings.ts";

const keyFiles = [["pepper", "secrets/pepper"], ["admin-key", "admin-key"]] as const;

const readOptional = (path: string): Promise<string | undefined> => readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
  if (error.code === "ENOENT") return undefined;
  throw error;
});

/** Throws unless the pepper of the backup is at hand: in the settings, in `keysDir`, or in the data directory. Changes nothing. */
export async function requireSamePepper({ newest }: Chain, { dataDir, pepper }: Pick<Settings, "dataDir" | "pepper">, keysDir: string | undefined): Promise<void> {
  const path = keysDir === undefined ? join(dataDir, "secrets/pepper") : join(keysDir, "pepper");
  const text = pepper === undefined ? await readOptional(path) : undefined;
  if (pepper === undefined && text === undefined) {
    throw new BackupError(`The pepper is missing (${path}): a backup is of no use without its keys. Give --keys DIRECTORY, or set TRIBUTARY_PEPPER.`);
  }
  const found = pepper === undefined ? parseSecret(text ?? "", path) : Buffer.from(pepper, "utf8");
  if (fingerprintOf("pepper", found).toString("hex") !== newest.pepper) {
    throw new BackupError(`The pepper ${pepper === undefined ? `in ${path}` : "of TRIBUTARY_PEPPER"} is not the one of the backed up installation.`);
  }
}

/** Copies the keys into the data directory. */
export async function bringKeys(dataDir: string, keysDir: string): Promise<void> {
  await mkdir(join(dataDir, "secrets"), { recursive: true, mode: 0o700 });
  for (const [kept, used] of keyFiles) await copyKey(join(keysDir, kept), join(dataDir, used));
}

/** Copies the keys of a data directory on this machine to where they are kept. Throws when they are not there. */
export async function keepKeys(dataDir: string, keysDir: string): Promise<void> {
  if ((await readOptional(join(dataDir, "secrets/pepper"))) === undefined) {
    throw new BackupError(`There are no keys in ${dataDir}: run this where the server's data directory is (DATA_DIR). A TRIBUTARY_PEPPER is to be kept by whoever set it.`);
  }
  await mkdir(keysDir, { recursive: true, mode: 0o700 });
  for (const [kept, used] of keyFiles) await copyKey(join(dataDir, used), join(keysDir, kept));
}

/** A key that is not a file, because a setting gives it, is left out. */
async function copyKey(from: string, to: string): Promise<void> {
  const text = await readOptional(from);
  if (text !== undefined) await writePrivate(to, text);
}
