import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One numbered file of migrations/. */
export interface MigrationFile {
  version: number;
  /** The file's name without number and ending. */
  name: string;
  sql: string;
  /** SHA-256 of the text, hex. */
  checksum: string;
}

/** What a database remembers of a file it ran. */
export interface AppliedMigration {
  version: number;
  name: string;
  checksum: string;
}

const fileName = /^(\d{6})-([a-z0-9-]+)\.sql$/;

/** Reads the `NNNNNN-name.sql` files of a folder, lowest number first. Throws when two files have one number. */
export async function readMigrations(folder: URL | string): Promise<MigrationFile[]> {
  const path = typeof folder === "string" ? folder : fileURLToPath(folder);
  const names = (await readdir(path)).filter((name) => name.endsWith(".sql")).sort();
  return await Promise.all(names.map((name) => readMigration(path, name))).then(refuseTwins);
}

async function readMigration(folder: string, file: string): Promise<MigrationFile> {
  const [, version, name] = fileName.exec(file) ?? [];
  if (version === undefined || name === undefined) throw new Error(`The migration ${file} is not named like 000001-name.sql.`);
  const sql = await readFile(join(folder, file), "utf8");
  return { version: Number(version), name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
}

function refuseTwins(files: MigrationFile[]): MigrationFile[] {
  for (const [at, file] of files.entries()) {
    if (files[at - 1]?.version === file.version) throw new Error(`Two migrations have the number ${file.version}.`);
  }
  return files;
}

/**
 * The files still to run, in order. Throws a sentence for the operator when the database is newer than the files, when an
 * applied file has changed or is gone, or when a file would have to run before one that already ran.
 */
export function planMigrations(files: MigrationFile[], applied: AppliedMigration[]): MigrationFile[] {
  const newestFile = Math.max(0, ...files.map((file) => file.version));
  const newestApplied = Math.max(0, ...applied.map((one) => one.version));
  if (newestApplied > newestFile) {
    throw new Error(
      `This database was written by a newer Tributary (its schema has version ${newestApplied}, this release knows ${newestFile}). ` +
        "Start that release or a later one; going back needs a backup.",
    );
  }
  for (const one of applied) refuseChanged(one, files.find((file) => file.version === one.version));
  const done = new Set(applied.map((one) => one.version));
  const pending = files.filter((file) => !done.has(file.version));
  const late = pending.find((file) => file.version < newestApplied);
  if (late !== undefined) {
    throw new Error(
      `The migration ${late.version} (${late.name}) is older than version ${newestApplied}, which this database already has. ` +
        "Give it the next free number.",
    );
  }
  return pending;
}

function refuseChanged(one: AppliedMigration, file: MigrationFile | undefined): void {
  if (file?.checksum === one.checksum) return;
  const what = file === undefined ? "is missing" : "has changed";
  throw new Error(
    `The migration ${one.version} (${one.name}) ${what} since it was applied to this database. ` +
      "Applied migrations are never edited: restore the file and put the change into a new one.",
  );
}
