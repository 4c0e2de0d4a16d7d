import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "../../contracts/backup.ts";
import { BackupError } from "../backup-error.ts";
import { manifestPath, sumsPath, unfinished } from "../file-names.ts";

const format = 1;

/** The manifest of the backup in a directory. Throws a sentence when there is none, or it is damaged, or of another kind. */
export async function readManifest(path: string): Promise<Manifest> {
  if (path.replace(/\/+$/, "").endsWith(unfinished)) throw new BackupError(`${path} is a backup that was not finished: it cannot be restored.`);
  const [text, sums] = await Promise.all([manifestPath, sumsPath].map((name) => readFile(join(path, name), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw new BackupError(`${path} is no finished backup: it has no ${name}.`);
    throw error;
  })));
  if (!sums?.split("\n").includes(`${hash("sha256", text ?? "")}  ${manifestPath}`)) throw new BackupError(`${join(path, manifestPath)} is damaged: it has not the checksum that ${sumsPath} says.`);
  const manifest = JSON.parse(text ?? "") as Manifest;
  if (manifest.format !== format) throw new BackupError(`${path} has the format ${manifest.format}; this release knows ${format}. Restore it with the release that made it or a later one (Tributary ${manifest.tributary}).`);
  return manifest;
}
