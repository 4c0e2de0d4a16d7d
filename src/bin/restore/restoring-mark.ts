import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { writePrivate } from "../secrets.ts";

const markOf = (dataDir: string): string => join(dataDir, "restoring");

/** Notes that a restore is under way: whatever ends it, no server starts on its half. */
export const markRestore = (dataDir: string, backupId: string): Promise<void> => writePrivate(markOf(dataDir), `${backupId}\n`);

export const unmarkRestore = (dataDir: string): Promise<void> => rm(markOf(dataDir));

/** Throws when a restore into this directory did not come to its end. */
export async function requireNoRestore(dataDir: string): Promise<void> {
  const isMarked = await access(markOf(dataDir)).then(() => true, () => false);
  if (isMarked) throw new Error(`A restore into ${dataDir} did not come to its end: empty the directory and restore again.`);
}
