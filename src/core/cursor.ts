import { ApiError } from "./errors.ts";

/** An opaque place in a list: the sort values of the last row shown. */
export const encodeCursor = (values: (string | number)[]): string => Buffer.from(JSON.stringify(values)).toString("base64url");

/** The values of a cursor that must have this many; a made-up one is a validation error naming `cursor`. */
export function decodeCursor(text: string, count: number): (string | number)[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (Array.isArray(values) && values.length === count && values.every((v) => typeof v === "string" || Number.isSafeInteger(v))) return values;
  } catch {
    // Falls through to the one answer for anything that is not ours.
  }
  return refuse();
}

/** The event key in a cursor, checked to be hexadecimal. */
export const cursorKey = (value: string | number | undefined): string => (typeof value === "string" && /^[0-9a-f]{32}$/.test(value) ? value : refuse());

/** The number in a cursor: a time in milliseconds, or an id. */
export const cursorNumber = (value: string | number | undefined): number => (typeof value === "number" ? value : refuse());

function refuse(): never {
  throw new ApiError("validation_failed", "cursor is not one that this list gave out", {
    details: [{ field: "cursor", reason: "invalid_cursor", message: "expected a nextCursor of this list" }],
  });
}
