import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writePrivate } from "./secrets.ts";

/** Names this installation among the processes that share a log: made once and kept, so that a restart has its partitions back at once. */
export async function readWorkerId(dataDir: string): Promise<string> {
  const file = join(dataDir, "worker-id");
  const kept = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return "";
  });
  if (kept.trim() !== "") return kept.trim();
  const made = randomUUID();
  await writePrivate(file, `${made}\n`);
  return made;
}
