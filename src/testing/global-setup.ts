import { chmod, mkdtemp, rm } from "node:fs/promises";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "../stores/postgres/embedded.ts";
import { migratePostgres } from "../stores/postgres/migrate.ts";
import { connectPostgres, type PostgresSettings } from "../stores/postgres/pool.ts";
import { silentLog } from "./silent-log.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The run's own PostgreSQL; its `database` is the migrated template. Use `clonePostgres`. */
    postgres: PostgresSettings;
  }
}

const template = "template_tributary";
const migrations = new URL("../../migrations/postgres/", import.meta.url);

async function createTemplate(server: EmbeddedPostgres): Promise<PostgresSettings> {
  const admin = connectPostgres({ ...server.settings, poolMax: 1 });
  await admin.query(`create database ${template}`).finally(() => admin.close());
  const settings = { ...server.settings, database: template };
  const db = connectPostgres({ ...settings, poolMax: 1 });
  await migratePostgres(db, migrations).finally(() => db.close());
  return settings;
}

/** The server is on its way out and may still write, so removing is tried until it holds; at exit nothing can be awaited. */
function removeAtExit(dir: string): void {
  for (let attempt = 0; attempt < 30 && existsSync(dir); attempt += 1) {
    try {
      rmSync(dir, { recursive: true, force: true });
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}

/** Also one that is only starting and has told nobody its pid yet. */
function quitServer(dir: string): void {
  try {
    process.kill(Number.parseInt(readFileSync(join(dir, "data/postmaster.pid"), "utf8"), 10), "SIGQUIT");
  } catch {
    // No such file or no such process: nothing runs.
  }
}

/** For a run that ends without its teardown (Ctrl-C, say): nothing may stay behind. */
function cleanAtExit(dir: string): () => void {
  const clean = () => {
    quitServer(dir);
    removeAtExit(dir);
  };
  process.once("exit", clean);
  return () => process.off("exit", clean);
}

/** One PostgreSQL for the whole run, without durability, in a directory that goes with it. */
export default async function startTestPostgres(project: TestProject): Promise<() => Promise<void>> {
  const dir = await mkdtemp(join(tmpdir(), "tributary-test-"));
  // Root's PostgreSQL runs as another user, who must be able to pass.
  await chmod(dir, 0o711);
  const disarm = cleanAtExit(dir);
  const remove = () => rm(dir, { recursive: true, force: true }).finally(disarm);
  const server = await startEmbeddedPostgres({ dir, log: silentLog, durable: false }).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  const teardown = () => server.stop().finally(remove);
  try {
    project.provide("postgres", await createTemplate(server));
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}
