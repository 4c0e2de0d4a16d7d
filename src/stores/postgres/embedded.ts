import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../contracts/logger.ts";
import { createBoundedFile } from "./embedded/bounded-file.ts";
import { chooseAccount, requireReachable } from "./embedded/choose-account.ts";
import { claimFolder } from "./embedded/claim-folder.ts";
import { ensureDatabase } from "./embedded/ensure-database.ts";
import { findBinaries } from "./embedded/find-binaries.ts";
import { initCluster, superuser } from "./embedded/init-cluster.ts";
import { chooseSocketDir, layOutFolder, makePrivateDir, type Layout } from "./embedded/lay-out-folder.ts";
import { spawnServer, stopServer, waitUntilReady, type Server } from "./embedded/run-server.ts";
import { serverArguments } from "./embedded/server-arguments.ts";
import { stopOrphan } from "./embedded/stop-orphan.ts";
import type { PostgresSettings } from "./pool.ts";

export interface EmbeddedPostgres {
  /** For `connectPostgres`. */
  settings: PostgresSettings;
  /** Process id of the server, undefined while it is down. */
  pid(): number | undefined;
  /** False while the server is down or starting again. */
  alive(): boolean;
  /** Shuts the server down and waits for its end. Safe to call twice. */
  stop(): Promise<void>;
}

const database = "tributary";
const logBytesMax = 1_000_000;
const leftoversMsMax = 30_000;
const backOffMsMax = 10_000;
/** A killed postmaster's backends, or its lock, are still there; they go by themselves. */
const leftovers = /pre-existing shared memory block|lock file ".*" already exists/;

type Launch = () => Promise<Server>;

/** Starts the server, again and again for 30 s while what a killed one left behind is in the way. */
async function launchPatiently(launch: Launch, socketDir: string, giveUp: AbortSignal): Promise<Server> {
  const startMs = performance.now();
  for (;;) {
    const server = await launch();
    try {
      await waitUntilReady(server, socketDir, giveUp);
      return server;
    } catch (error) {
      await stopServer(server);
      const patient = leftovers.test(server.tail()) && performance.now() - startMs < leftoversMsMax;
      if (!patient || giveUp.aborted) throw error;
      await delay(250);
    }
  }
}

/** Keeps the server running until told to stop. */
function supervise(first: Server, launch: () => Promise<Server>, log: Logger, stopping: AbortController) {
  let current: Server | undefined = first;

  async function restart(): Promise<Server | undefined> {
    for (let backOffMs = 100; !stopping.signal.aborted; backOffMs = Math.min(backOffMs * 2, backOffMsMax)) {
      await delay(backOffMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return undefined;
      try {
        const server = await launch();
        if (!stopping.signal.aborted) return server;
        await stopServer(server);
      } catch (error) {
        if (!stopping.signal.aborted) log.error({ err: error, backOffMs }, "The embedded PostgreSQL does not start; trying again.");
      }
    }
    return undefined;
  }

  async function watch(): Promise<void> {
    while (current !== undefined) {
      await current.ended;
      if (stopping.signal.aborted) return;
      log.error({ tail: current.tail() }, "The embedded PostgreSQL ended by itself; starting it again.");
      current = undefined;
      current = await restart();
    }
  }

  const watched = watch();
  return {
    current: () => (current?.isRunning() === true ? current : undefined),
    async stop() {
      stopping.abort();
      if (current !== undefined) await stopServer(current);
      await watched;
    },
  };
}

async function prepare(dir: string) {
  const binaries = await findBinaries();
  const folder = await layOutFolder(dir);
  const account = await chooseAccount(folder.cluster);
  const layout: Layout = { ...folder, socketDir: await chooseSocketDir(folder.root) };
  if (account !== undefined) await requireReachable([layout.root, layout.socketDir, binaries.postgres], account);
  const release = await claimFolder(layout.ownerFile);
  return { binaries, layout, account, release };
}

/**
 * Runs the PostgreSQL of the npm package on `dir`, making its files on first use, on a Unix socket that only this user can
 * reach. A server that a killed process left running on `dir` is stopped first; one that dies is started again. `durable:
 * false` is for tests: data may be lost when the machine crashes. Throws sentences that say what to do.
 */
export async function startEmbeddedPostgres(options: { dir: string; log: Logger; durable?: boolean }): Promise<EmbeddedPostgres> {
  const { dir, log, durable = true } = options;
  const { binaries, layout, account, release } = await prepare(dir);
  const stopping = new AbortController();
  const append = createBoundedFile(layout.logFile, logBytesMax);
  const onLine = (line: string) => {
    append(`${line}\n`);
    log.debug({ line }, "PostgreSQL says");
  };

  async function launch(): Promise<Server> {
    await stopOrphan(layout, log);
    await makePrivateDir(layout.socketDir, account);
    const args = await serverArguments(binaries.postgres, layout, account, durable);
    return spawnServer(binaries.postgres, args, layout, account, onLine);
  }

  const start = () => launchPatiently(launch, layout.socketDir, stopping.signal);
  try {
    await initCluster(binaries.initdb, layout, account);
    const first = await start();
    await ensureDatabase(layout.socketDir, database);
    const supervisor = supervise(first, start, log, stopping);
    let stopped: Promise<void> | undefined;
    return {
      settings: { host: layout.socketDir, port: 5432, user: superuser, database },
      pid: () => supervisor.current()?.child.pid,
      alive: () => supervisor.current() !== undefined,
      stop: () => (stopped ??= supervisor.stop().finally(release)),
    };
  } catch (error) {
    await release();
    throw error;
  }
}
