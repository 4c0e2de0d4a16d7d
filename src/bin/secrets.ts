import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

export interface Secrets {
  /** Mixed into the hashes by which identifiers match, and into public ids. */
  pepper: Buffer;
}

/** Secrets from the settings, else from the data directory, made there on first use (mode 0600). */
export async function readSecrets(dataDir: string, given: { pepper: string | undefined }): Promise<Secrets> {
  return { pepper: given.pepper === undefined ? await keepSecret(dataDir, "pepper") : Buffer.from(given.pepper, "utf8") };
}

async function keepSecret(dataDir: string, name: string): Promise<Buffer> {
  const folder = join(dataDir, "secrets");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  const kept = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  // Making a new one in place of a damaged one would make every customer a stranger.
  if (kept !== undefined) return parseSecret(kept, path);
  const secret = randomBytes(32);
  await writePrivate(path, `${secret.toString("hex")}\n`);
  return secret;
}

/** The secret that a file holds; throws when it is damaged. */
export function parseSecret(text: string, path: string): Buffer {
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw new Error(`${path} is damaged: put it back from a backup, or set TRIBUTARY_${basename(path).toUpperCase()}.`);
  return Buffer.from(text.trim(), "hex");
}

/** Writes a file that only its owner reads, whole or not at all, and waits until it is on disk. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}-new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}
