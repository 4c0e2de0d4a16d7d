import { randomBytes } from "node:crypto";
import type { Db, Queries } from "./db.ts";

const insertPlace = "insert into installation (name, value) values ('place', $1) on conflict do nothing";

/** What tells this installation from others: its place, made when it is first asked for, and the fingerprint of its pepper. */
export async function readInstallation(db: Db): Promise<{ place: string; pepper: string }> {
  await db.query(insertPlace, [randomBytes(16)]);
  const rows = await db.query<{ name: string; value: Buffer }>("select name, value from installation");
  const valueOf = (name: string): string => rows.find((row) => row.name === name)?.value.toString("hex") ?? "";
  return { place: valueOf("place"), pepper: valueOf("pepper") };
}

/** Makes a restored installation another one than the one it comes from, and one that no server starts on yet. */
export async function beginRestore(q: Queries, backupId: string): Promise<void> {
  await q.query("delete from installation where name = 'place'");
  await q.query(insertPlace, [randomBytes(16)]);
  await q.query("insert into installation (name, value) values ('restoring', convert_to($1, 'UTF8'))", [backupId]);
  await q.query("update log_partition set owner = null, lease_until = null");
}

export async function finishRestore(q: Queries): Promise<void> {
  await q.query("delete from installation where name = 'restoring'");
}

/** Throws when a restore of this database did not come to its end. */
export async function requireRestored(q: Queries): Promise<void> {
  const rows = await q.query("select 1 from installation where name = 'restoring'");
  if (rows.length > 0) throw new Error("A restore into this database did not come to its end: empty the databases and DATA_DIR, and restore again.");
}
