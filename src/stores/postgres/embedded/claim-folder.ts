import { readFile, rm, writeFile } from "node:fs/promises";
import { readStartMark } from "./inspect-process.ts";

interface Claim {
  pid: number;
  startMark: string;
}

async function readClaim(file: string): Promise<Claim | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Claim;
  } catch {
    return undefined;
  }
}

async function isAlive(claim: Claim): Promise<boolean> {
  return (await readStartMark(claim.pid)) === claim.startMark;
}

/**
 * Marks the folder as supervised by this process, since taking over an orphan must never take the server of a living
 * process. Throws when one is there. The returned function gives the folder back.
 */
export async function claimFolder(file: string): Promise<() => Promise<void>> {
  const claim = await readClaim(file);
  if (claim !== undefined && (await isAlive(claim))) {
    throw new Error(`Another Tributary (process ${claim.pid}) uses this data directory. Stop it first, or choose another DATA_DIR.`);
  }
  const startMark = (await readStartMark(process.pid)) ?? "";
  await writeFile(file, JSON.stringify({ pid: process.pid, startMark } satisfies Claim)).catch((cause: unknown) => {
    throw new Error(`${file} cannot be written: run Tributary as the user who made this data directory.`, { cause });
  });
  return () => rm(file, { force: true });
}
