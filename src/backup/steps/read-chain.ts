import { dirname, resolve } from "node:path";
import type { Manifest } from "../../contracts/backup.ts";
import { BackupError } from "../backup-error.ts";
import { readManifest } from "./read-manifest.ts";
import { listBackups, type StoredBackup } from "./store-backup.ts";

/** A backup with those it builds on, the full one first; it is the last. */
export interface Chain {
  newest: Manifest;
  backups: StoredBackup[];
}

/** Reads a backup and finds, beside it, those it builds on. */
export async function readChain(path: string): Promise<Chain> {
  const newest = await readManifest(path);
  const beside = await listBackups(dirname(resolve(path)));
  const backups: StoredBackup[] = [{ path, manifest: newest }];
  for (let base = newest.base; base !== null;) {
    const found = beside.find(({ manifest }) => manifest.id === base);
    if (!found) throw new BackupError(`${path} builds on the backup ${base}, which is not in the same directory.`);
    backups.unshift(found);
    base = found.manifest.base;
  }
  return { newest, backups };
}
