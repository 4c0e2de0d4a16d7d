import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import type {} from "./global-setup.ts";
import { connectPostgres, type PostgresSettings } from "../stores/postgres/pool.ts";

/** A database on the run's PostgreSQL for a process of its own. */
export interface EmptyDatabase {
  settings: PostgresSettings;
  /** For DATABASE_URL. */
  url: string;
  /** Ends all connections to it, as a server that is restarted does. */
  endConnections(): Promise<void>;
  drop(): Promise<void>;
}

export async function createEmptyDatabase(): Promise<EmptyDatabase> {
  const server = inject("postgres");
  const database = `empty_${randomUUID().replaceAll("-", "")}`;
  const admin = connectPostgres({ ...server, database: "postgres", poolMax: 1 });
  await admin.query(`create database ${database}`);
  return {
    settings: { ...server, database },
    url: `postgres://${server.user}@localhost:${server.port}/${database}?host=${encodeURIComponent(server.host ?? "")}`,
    async endConnections() {
      await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [database]);
    },
    async drop() {
      await admin.query(`drop database ${database} with (force)`);
      await admin.close();
    },
  };
}
