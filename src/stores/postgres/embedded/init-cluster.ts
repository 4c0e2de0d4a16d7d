import { execFile } from "node:child_process";
import { access, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Account } from "./choose-account.ts";
import { handOver, makePrivateDir, type Layout } from "./lay-out-folder.ts";

const run = promisify(execFile);

/** The superuser of the embedded server. The socket's directory keeps everyone else out, so there is no password. */
export const superuser = "tributary";

async function exists(path: string): Promise<boolean> {
  return await access(path).then(() => true, (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return false;
    throw new Error(`${path} cannot be read: run Tributary as the user who made it.`, { cause: error });
  });
}

async function flushDir(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  await handle.sync().finally(() => handle.close());
}

/** Makes a cluster on first use. It appears under its name only when it is whole, so a kill in between leaves nothing half made. */
export async function initCluster(initdb: string, layout: Omit<Layout, "socketDir">, account: Account | undefined): Promise<void> {
  if (await exists(join(layout.cluster, "PG_VERSION"))) {
    if (account !== undefined) await handOver(layout.cluster, account);
    return;
  }
  const unfinished = `${layout.cluster}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await makePrivateDir(unfinished, account);
  const args = [
    "-D", unfinished, "-U", superuser, "--auth=trust", "--encoding=UTF8", "--locale=C",
    "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
  ];
  await run(initdb, args, { cwd: layout.root, env: { LC_ALL: "C", TZ: "UTC" }, ...account }).catch((cause: { stderr?: string }) => {
    throw new Error(`The embedded PostgreSQL could not make its data directory: ${cause.stderr?.trim() ?? ""}`, { cause });
  });
  await rename(unfinished, layout.cluster);
  await flushDir(layout.root);
}
