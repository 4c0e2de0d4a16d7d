import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

const nameDigits = 16;
const finished = new RegExp(`^\\d{${nameDigits}}$`);
const unfinished = new RegExp(`^\\d{${nameDigits}}-(new|old)$`);

/** The directory of the segment whose first position is `first`; names sort as positions do. */
export const segmentPath = (dir: string, first: number): string => join(dir, String(first).padStart(nameDigits, "0"));

/** Brings a file's bytes or a directory's names to the disk. Needs no free space. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The first positions of the finished segments, ascending. Removes what a killed process was making or removing. */
export async function recoverSegments(dir: string): Promise<number[]> {
  await mkdir(dir, { recursive: true });
  await flush(dirname(dir));
  const names = await readdir(dir);
  for (const name of names.filter((one) => unfinished.test(one))) await rm(join(dir, name), { recursive: true, force: true });
  return names.filter((name) => finished.test(name)).map(Number).sort((a, b) => a - b);
}

/** Makes a segment's directory with what `fill` puts into it: after a kill it is there whole or not at all. */
export async function createSegment(dir: string, first: number, fill: (path: string) => Promise<void>): Promise<void> {
  const path = segmentPath(dir, first);
  const making = `${path}-new`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making);
  await fill(making);
  await flush(making);
  // What a try left there whose flush failed: of positions that were not given yet no segment can be.
  await rm(path, { recursive: true, force: true });
  await rename(making, path);
  await flush(dir);
}

/** Removes a segment's directory: after a kill it is there whole or not at all, never with a part of its files. */
export async function removeSegment(dir: string, first: number): Promise<void> {
  const path = segmentPath(dir, first);
  await rename(path, `${path}-old`);
  await flush(dir);
  await rm(`${path}-old`, { recursive: true, force: true });
}
