import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import type {} from "./global-setup.ts";
import { connectPostgres } from "../stores/postgres/pool.ts";

/** A server to make it on in place of the run's own, with a user who may do that. */
const elsewhere = process.env["TEST_DATABASE_URL"] || undefined;

/** A database on a PostgreSQL for a process of its own. */
export interface EmptyDatabase {
  /** For DATABASE_URL. */
  url: string;
  /** Ends all connections to it, as a server that is restarted does. */
  endConnections(): Promise<void>;
  drop(): Promise<void>;
}

function urlOf(database: string): string {
  if (elsewhere !== undefined) return Object.assign(new URL(elsewhere), { pathname: `/${database}` }).href;
  const { user, port, host = "" } = inject("postgres");
  return `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}

export async function createEmptyDatabase(): Promise<EmptyDatabase> {
  const database = `empty_${randomUUID().replaceAll("-", "")}`;
  const admin = connectPostgres({ url: urlOf("postgres"), poolMax: 1 });
  await admin.query(`create database ${database}`);
  return {
    url: urlOf(database),
    async endConnections() {
      await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [database]);
    },
    async drop() {
      await admin.query(`drop database ${database} with (force)`);
      await admin.close();
    },
  };
}
