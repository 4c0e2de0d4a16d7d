import pg from "pg";
import { sqlState } from "../sqlstates.ts";
import { superuser } from "./init-cluster.ts";

/** Makes the database when it is not there. */
export async function ensureDatabase(socketDir: string, name: string): Promise<void> {
  const client = new pg.Client({ host: socketDir, port: 5432, user: superuser, database: "postgres" });
  await client.connect();
  try {
    await client.query(`create database ${client.escapeIdentifier(name)}`);
  } catch (error) {
    if ((error as { code?: string }).code !== sqlState.duplicateDatabase) throw error;
  } finally {
    await client.end();
  }
}
