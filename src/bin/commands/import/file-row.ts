import type { JsonObject } from "../../../contracts/json.ts";
import type { FieldError } from "../../../contracts/field-error.ts";

/** A row of the file, or what stands where one should be. `line` is the line it begins on, from 1. */
export type FileRow = { line: number; row: JsonObject } | { line: number; error: FieldError; raw: string | string[] };

/** A row may not be larger; the server takes 128 KB per event by default. */
export const rowBytesMax = 1_048_576;
