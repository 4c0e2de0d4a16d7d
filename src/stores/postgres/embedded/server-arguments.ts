import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Account } from "./choose-account.ts";
import type { Layout } from "./lay-out-folder.ts";

const run = promisify(execFile);

/** Settings go on the command line, so that an update of Tributary updates them too. */
const settings: Record<string, string> = {
  listen_addresses: "",
  max_connections: "60",
  shared_buffers: "128MB",
  // Full-page writes are most of the WAL: fewer checkpoints, less WAL.
  max_wal_size: "1GB",
  checkpoint_timeout: "15min",
  // Tables grow from nothing to millions of rows within minutes of an import; plans need to hear of it.
  autovacuum_naptime: "10s",
  idle_in_transaction_session_timeout: "60s",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  // Errors reach whoever ran the statement. Their texts quote values, which must not get into a file.
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
};

const durableSettings = { fsync: "on", synchronous_commit: "on", full_page_writes: "on" };
/** For servers that are thrown away: commits outlive a killed process, but not a crash of the machine. */
const volatileSettings = { fsync: "off", synchronous_commit: "on", full_page_writes: "off", max_wal_size: "256MB" };

/** Not every platform's package is built with lz4. */
async function supportsLz4(postgres: string, cluster: string, account: Account | undefined): Promise<boolean> {
  const args = ["-D", cluster, "-C", "wal_compression", "-c", "wal_compression=lz4"];
  return await run(postgres, args, { cwd: cluster, env: { LC_ALL: "C" }, ...account }).then(() => true, () => false);
}

/** What `postgres` is started with. */
export async function serverArguments(postgres: string, layout: Layout, account: Account | undefined, durable: boolean): Promise<string[]> {
  const all: Record<string, string> = {
    ...settings,
    ...(durable ? durableSettings : volatileSettings),
    unix_socket_directories: `"${layout.socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: "0700",
    wal_compression: (await supportsLz4(postgres, layout.cluster, account)) ? "lz4" : "off",
  };
  return ["-D", layout.cluster, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}
