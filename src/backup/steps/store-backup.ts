import { createHash, hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import type { BackupPlan, Manifest } from "../../contracts/backup.ts";
import { BackupError } from "../backup-error.ts";
import { errorPath, manifestPath, planPath, sumsPath, unfinished } from "../file-names.ts";
import { readManifest } from "./read-manifest.ts";

export interface StoredBackup {
  path: string;
  manifest: Manifest;
}

/** Told as bytes arrive. */
export interface Watcher {
  planned(plan: BackupPlan): void;
  arrived(bytes: number, path: string): void;
}

/** The finished backups in a directory, newest last. */
export async function listBackups(dir: string): Promise<StoredBackup[]> {
  const names = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const paths = names.filter((entry) => entry.isDirectory() && !entry.name.endsWith(unfinished)).map((entry) => join(dir, entry.name));
  const found = await Promise.all(paths.map(async (path) => ({ path, manifest: await readManifest(path).catch(() => undefined) })));
  const whole = found.filter((one): one is StoredBackup => one.manifest !== undefined);
  return whole.sort((a, b) => (a.manifest.startedAt < b.manifest.startedAt ? -1 : 1));
}

/**
 * Stores a backup's archive as a directory in `dir`, under its last name only when all of it is on disk and has the checksums
 * that the server says. Removes what it wrote when it fails.
 */
export async function storeBackup(archive: AsyncIterable<Uint8Array>, dir: string, name: string, watcher: Watcher): Promise<StoredBackup> {
  const path = join(dir, name);
  const draft = `${path}${unfinished}`;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await mkdir(draft, { mode: 0o700 });
  try {
    const manifest = await unpack(archive, draft, watcher);
    await flush(draft);
    await rename(draft, path);
    await flush(dir);
    return { path, manifest };
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function unpack(archive: AsyncIterable<Uint8Array>, dir: string, { planned, arrived }: Watcher): Promise<Manifest> {
  const sums = new Map<string, string>();
  let manifest: Manifest | undefined;
  let taking: Promise<void> = Promise.resolve();
  const entries = extract();
  entries.on("entry", ({ name: path }, body, next) => {
    taking = take(path, body as AsyncIterable<Uint8Array>);
    taking.then(() => next(), next);
  });

  async function take(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    const isText = [planPath, manifestPath, errorPath].includes(path);
    if (!isText) return await takeFile(path, body);
    const text = Buffer.concat(await Array.fromAsync(body)).toString("utf8");
    const value: unknown = JSON.parse(text);
    if (path === errorPath) throw new BackupError(`The server could not finish the backup: ${(value as { message: string }).message}`);
    if (path === planPath) return planned(value as BackupPlan);
    manifest = value as Manifest;
    requireSame(manifest, sums);
    sums.set(manifestPath, hash("sha256", text));
    await writeFlushed(join(dir, manifestPath), text);
    await writeFlushed(join(dir, sumsPath), [...sums].map(([name, sum]) => `${sum}  ${name}\n`).join(""));
  }

  async function takeFile(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    if (!/^(state|held|events|log)\/[a-z0-9_]+-\d+\.(tsv|bin)\.zst$/.test(path)) throw new BackupError(`The server sent a file of an unknown name: ${path}`);
    const sum = createHash("sha256");
    await mkdir(dirname(join(dir, path)), { recursive: true, mode: 0o700 });
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        sum.update(chunk);
        arrived(chunk.length, path);
        yield chunk;
      }
    };
    await pipeline(counted, createWriteStream(join(dir, path), { flags: "wx", mode: 0o600, flush: true }));
    sums.set(path, sum.digest("hex"));
  }

  await pipeline(archive, entries).catch(async (error: unknown) => {
    // The stream itself tells only that it was closed.
    const failure = await taking.then(() => undefined, (reason: unknown) => reason);
    if (failure instanceof BackupError || (failure instanceof Error && "syscall" in failure)) throw failure;
    throw new BackupError(`The backup broke off: ${(error as Error).message}`, error);
  });
  if (!manifest) throw new BackupError("The backup broke off: its last part did not arrive.");
  for (const part of new Set([...sums.keys()].map((file) => dirname(join(dir, file))))) await flush(part);
  return manifest;
}

function requireSame({ files }: Manifest, sums: ReadonlyMap<string, string>): void {
  const wrong = files.find((file) => sums.get(file.path) !== file.sha256);
  if (wrong) throw new BackupError(`${wrong.path} did not arrive as it was sent.`);
}

async function writeFlushed(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flush: true });
}

/** Brings a directory's names to the disk. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}
