import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Names this installation among the processes that share a log: made once and kept, so that a restart has its partitions back at once. */
export async function readWorkerId(dataDir: string): Promise<string> {
  const file = join(dataDir, "worker-id");
  await writeFile(file, `${randomUUID()}\n`, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  return (await readFile(file, "utf8")).trim();
}
