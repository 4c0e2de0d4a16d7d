import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { BackupError } from "../backup-error.ts";
import { neededFiles } from "./needed-files.ts";
import type { Chain } from "./read-chain.ts";

/** Throws unless every file that a restore needs is there as it was written. */
export async function verifyFiles(chain: Chain, read: (bytes: number) => void): Promise<void> {
  for (const { dir, file } of neededFiles(chain)) {
    const path = join(dir, file.path);
    const sum = createHash("sha256");
    try {
      for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
        sum.update(chunk);
        read(chunk.length);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new BackupError(`${path} is missing: the backup is damaged.`, error);
    }
    if (sum.digest("hex") !== file.sha256) throw new BackupError(`${path} is damaged: it is not as it was written.`);
  }
}
