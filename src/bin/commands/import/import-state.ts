import { hash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import Type, { type Static } from "typebox";
import Value from "typebox/value";

const Count = Type.Integer({ minimum: 0 });

const StateSchema = Type.Object({
  version: Type.Literal(1),
  /** What is imported and whereto: the state of another file, mapping or server is of no use. */
  fingerprint: Type.String(),
  /** Rows from the start of the file that were all answered. */
  rows: Count,
  accepted: Count,
  rejected: Count,
  rejectsBytes: Count,
  finished: Type.Boolean(),
});

/** How far an import got. */
export type ImportState = Static<typeof StateSchema>;

export const freshState = (fingerprint: string): ImportState => ({
  version: 1,
  fingerprint,
  rows: 0,
  accepted: 0,
  rejected: 0,
  rejectsBytes: 0,
  finished: false,
});

/** Hash of everything that must be the same for an import to go on. */
export const fingerprintOf = (parts: (string | number)[]): string => hash("sha256", JSON.stringify(parts), "hex");

/** The state to go on from, and why not when there is a file that does not fit. */
export function readState(path: string, fingerprint: string): { state: ImportState; note?: string } {
  const fresh = freshState(fingerprint);
  const text = readIfThere(path);
  if (text === undefined) return { state: fresh };
  const stored = parse(text);
  if (!Value.Check(StateSchema, stored)) return { state: fresh, note: `${path} cannot be read; starting at the first row` };
  if (stored.finished) return { state: fresh };
  if (stored.fingerprint === fingerprint) return { state: stored };
  return { state: fresh, note: `file, mapping, server or key changed since ${path} was written; starting at the first row` };
}

/** Replaces the state as a whole: a crash leaves the former or the new one. */
export function writeState(path: string, state: ImportState): void {
  const next = `${path}.tmp`;
  const file = openSync(next, "w");
  try {
    writeFileSync(file, `${JSON.stringify(state)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
