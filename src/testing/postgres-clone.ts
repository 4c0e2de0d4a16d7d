import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import type {} from "./global-setup.ts";
import type { Db } from "../stores/postgres/db.ts";
import { connectPostgres, type PostgresSettings } from "../stores/postgres/pool.ts";

export interface PostgresClone {
  db: Db;
  settings: PostgresSettings;
  /** Closes `db` and removes the database, other connections to it included. */
  drop(): Promise<void>;
}

async function administer(server: PostgresSettings, sql: string): Promise<void> {
  const admin = connectPostgres({ ...server, database: "postgres", poolMax: 1 });
  await admin.query(sql).finally(() => admin.close());
}

/** A fresh, migrated database of its own; take one per test file and drop it in `afterAll`. */
export async function clonePostgres(): Promise<PostgresClone> {
  const server = inject("postgres");
  const database = `clone_${randomUUID().replaceAll("-", "")}`;
  await administer(server, `create database ${database} template ${server.database}`);
  const settings = { ...server, database, poolMax: 5 };
  const db = connectPostgres(settings);
  return {
    db,
    settings,
    async drop() {
      await db.close();
      await administer(server, `drop database ${database} with (force)`);
    },
  };
}
