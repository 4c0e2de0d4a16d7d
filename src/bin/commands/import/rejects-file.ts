import { closeSync, fstatSync, ftruncateSync, openSync, rmSync, writeFileSync } from "node:fs";
import type { JsonValue } from "../../../contracts/json.ts";
import type { FieldError } from "../../../contracts/field-error.ts";

/** One line of the rejects file. `also` lists what else is wrong with the row. */
export interface Reject {
  line: number;
  reason: string;
  field: string;
  message: string;
  row: JsonValue;
  also?: FieldError[];
}

export interface RejectsFile {
  /** Appends in the order given; the file is made with the first. */
  append(rejects: Reject[]): void;
  /** Size after what was appended: what a resumed import keeps. */
  bytes(): number;
  close(): void;
}

/** Starts with the first `keepBytes` of an interrupted import's rejects; what was written after its last save is written again. */
export function openRejectsFile(path: string, keepBytes: number): RejectsFile {
  let file: number | undefined;
  let size = keepBytes;
  if (keepBytes === 0) rmSync(path, { force: true });
  return {
    append(rejects) {
      if (rejects.length === 0) return;
      if (file === undefined) {
        file = openSync(path, "a");
        size = Math.min(size, fstatSync(file).size);
        ftruncateSync(file, size);
      }
      const lines = Buffer.from(rejects.map((reject) => `${JSON.stringify(reject)}\n`).join(""));
      writeFileSync(file, lines);
      size += lines.length;
    },
    bytes: () => size,
    close() {
      if (file !== undefined) closeSync(file);
    },
  };
}

export const toReject = (line: number, row: JsonValue, [first, ...also]: FieldError[]): Reject => ({
  line,
  reason: first?.reason ?? "rejected",
  field: first?.field ?? "",
  message: first?.message ?? "",
  row,
  ...(also.length > 0 ? { also } : {}),
});
