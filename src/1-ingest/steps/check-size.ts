import type { FieldError } from "../../contracts/field-error.ts";
import { fieldError } from "../../core/check-schema.ts";

/** Bytes of a row as JSON, against what one event may have. The row's depth must have been checked: writing it recurses. */
export function checkSize(row: unknown, bytesMax: number): FieldError | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(row) ?? "");
  return bytes > bytesMax ? fieldError("event", "event_too_large", `has ${bytes} bytes, of at most ${bytesMax}`) : undefined;
}
