import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

/** The user that PostgreSQL runs as. */
export interface Account {
  uid: number;
  gid: number;
}

const run = promisify(execFile);

/** Asks `id`, because accounts need not be in /etc/passwd. */
async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [user, group] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
    return { uid: Number(user.stdout), gid: Number(group.stdout) };
  } catch {
    return undefined;
  }
}

async function ownerOf(dir: string): Promise<Account | undefined> {
  const found = await stat(dir).catch(() => undefined);
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid };
}

/**
 * Undefined: as ourselves. PostgreSQL refuses to run as root, so root hands it to the owner of an existing cluster, else to
 * `postgres`, else to `nobody`.
 */
export async function chooseAccount(clusterDir: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const account = (await ownerOf(clusterDir)) ?? (await lookUp("postgres")) ?? (await lookUp("nobody"));
  if (account === undefined || account.uid === 0) {
    throw new Error(
      "PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody: run as an ordinary user, or set DATABASE_URL.",
    );
  }
  return account;
}

/** What `stat` tells of a directory. */
export interface Access {
  uid: number;
  gid: number;
  mode: number;
}

/** Whether the account may pass through the directory, by its permission bits alone. */
export function mayTraverse(dir: Access, account: Account): boolean {
  if (dir.uid === account.uid) return (dir.mode & 0o100) !== 0;
  if (dir.gid === account.gid) return (dir.mode & 0o010) !== 0;
  return (dir.mode & 0o001) !== 0;
}

/** The outermost existing directory above or at `path` that the account may not pass through. */
export async function findClosedDirectory(path: string, account: Account): Promise<string | undefined> {
  if (dirname(path) !== path) {
    const closed = await findClosedDirectory(dirname(path), account);
    if (closed !== undefined) return closed;
  }
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true && !mayTraverse(found, account) ? path : undefined;
}

/** Throws one sentence that says what to do when the account cannot reach one of the paths. */
export async function requireReachable(paths: string[], account: Account): Promise<void> {
  for (const path of paths) {
    const closed = await findClosedDirectory(path, account);
    if (closed === undefined) continue;
    throw new Error(
      `PostgreSQL does not run as root, and the user it would run as (uid ${account.uid}) may not enter ${closed}: ` +
        "run Tributary as an ordinary user, move DATA_DIR (or the installation) to where others may enter, or set DATABASE_URL.",
    );
  }
}
