import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { flush } from "./segment-directories.ts";

const fileName = "log-id";

/** Gives the log in `dir` an id of its own, whole or not at all. */
export async function createLogId(dir: string): Promise<string> {
  const id = randomUUID();
  const making = join(dir, `${fileName}-new`);
  await writeFile(making, `${id}\n`);
  await flush(making);
  await rename(making, join(dir, fileName));
  await flush(dir);
  return id;
}

/** The id of the log in `dir`. Throws when the file is missing or damaged: with another id positions would mean other events. */
export async function readLogId(dir: string): Promise<string> {
  const path = join(dir, fileName);
  const id = (await readFile(path, "utf8")).trim();
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error(`${path} does not hold the id of an event log`);
  return id;
}
