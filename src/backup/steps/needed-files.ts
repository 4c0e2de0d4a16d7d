import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import type { BackupFile, BackupPart, Manifest } from "../../contracts/backup.ts";
import type { Chain } from "./read-chain.ts";

const decompress = promisify(zstdDecompress);

interface NeededFile {
  dir: string;
  /** Of the backup it belongs to. */
  manifest: Manifest;
  file: BackupFile;
}

/** What a restore reads: of the earlier backups their history alone. */
export const neededFiles = ({ newest, backups }: Chain): NeededFile[] =>
  backups.flatMap(({ path, manifest }) => manifest.files.filter(({ part }) => manifest.id === newest.id || part === "events").map((file) => ({ dir: path, manifest, file })));

/** The files of a part one after the other, decompressed. */
export async function* readPart(chain: Chain, part: BackupPart, of?: string): AsyncGenerator<{ bytes: Buffer; file: BackupFile; manifest: Manifest }> {
  for (const { dir, file, manifest } of neededFiles(chain)) {
    if (file.part === part && (of === undefined || file.of === of)) yield { bytes: await decompress(await readFile(join(dir, file.path))), file, manifest };
  }
}

/** Bytes of files as they are and as they were before compression. */
export const sizeOf = (files: readonly BackupFile[]): { bytes: number; bytesRaw: number } =>
  ({ bytes: files.reduce((sum, file) => sum + file.bytes, 0), bytesRaw: files.reduce((sum, file) => sum + file.bytesRaw, 0) });

/** The same of all that a restore reads. */
export const sizeOfChain = (chain: Chain): { bytes: number; bytesRaw: number } => sizeOf(neededFiles(chain).map(({ file }) => file));
