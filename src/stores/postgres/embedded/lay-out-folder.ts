import { createHash } from "node:crypto";
import { chmod, chown, lchown, lstat, mkdir, readdir, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Account } from "./choose-account.ts";

/** Where the embedded PostgreSQL keeps what. */
export interface Layout {
  root: string;
  /** PostgreSQL's own data directory. */
  cluster: string;
  /** Holds the Unix socket; mode 0700. */
  socketDir: string;
  logFile: string;
  /** Says which process supervises this folder. */
  ownerFile: string;
}

/** The kernel's limit for a socket path is 104 (macOS) or 108 bytes. */
const socketPathBytesMax = 100;
const socketName = "/.s.PGSQL.65535.lock";

/** Beside the data, or where that path is too long for a socket, in the system's temporary directory. */
export async function chooseSocketDir(root: string): Promise<string> {
  const near = join(root, "run");
  if (Buffer.byteLength(near + socketName) < socketPathBytesMax) return near;
  const hash = createHash("sha256").update(root).digest("hex").slice(0, 16);
  return join(await realpath(tmpdir()), `tributary-${hash}`);
}

/** Makes the folder and says where everything is; nothing inside is made yet. */
export async function layOutFolder(dir: string): Promise<Omit<Layout, "socketDir">> {
  await mkdir(dir, { recursive: true });
  const root = await realpath(dir);
  return { root, cluster: join(root, "data"), logFile: join(root, "postgres.log"), ownerFile: join(root, "supervisor.json") };
}

/** Makes a directory that only the account can use. A directory of that name which belongs to someone else is refused. */
export async function makePrivateDir(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const us = process.getuid?.();
  const found = await lstat(path);
  if (!found.isDirectory() || (found.uid !== us && found.uid !== account?.uid)) {
    throw new Error(`${path} is needed for PostgreSQL but belongs to someone else (uid ${found.uid}). Remove it or run as its owner.`);
  }
  if (account !== undefined) await chown(path, account.uid, account.gid);
  await chmod(path, 0o700);
}

/** Gives a cluster that root put there (a restored copy, say) to the account. */
export async function handOver(dir: string, account: Account): Promise<void> {
  if ((await lstat(dir)).uid === account.uid) return;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
  await lchown(dir, account.uid, account.gid);
}
