import type { JsonObject, JsonValue } from "../../../contracts/json.ts";
import { parseIsoTime } from "../../../core/time.ts";

/** Why a value could not be read: a stable code and a sentence. */
export interface Unreadable {
  reason: string;
  message: string;
}

const timeMsMax = 8.64e15;
const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/**
 * The value of a field, or undefined when the row has none: the field is missing, an empty cell, or null.
 * A field of exactly that name wins; otherwise dots lead into nested objects and lists (`user.emails.0`).
 */
export function readField(row: JsonObject, field: string): JsonValue | undefined {
  const value = Object.hasOwn(row, field) ? row[field] : field.includes(".") ? readPath(row, field) : undefined;
  return value === "" || value === null ? undefined : value;
}

function readPath(row: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = row;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as JsonObject)[part];
  }
  return value;
}

/** The value as the type asked for; without a type as it is. */
export function readTyped(value: JsonValue, type: "string" | "number" | "boolean" | "json" | undefined): { value: JsonValue } | Unreadable {
  if (type === "string") return readText(value);
  if (type === "number") return readNumber(value);
  if (type === "boolean") return readBoolean(value);
  if (type === "json" && typeof value === "string") return readJson(value);
  return { value };
}

/** Text of a string, number or boolean. A whole number that JavaScript cannot hold exactly is refused: an id would change. */
export function readText(value: JsonValue): { value: string } | Unreadable {
  if (typeof value === "string") return { value };
  if (typeof value === "boolean") return { value: String(value) };
  if (typeof value !== "number") return { reason: "invalid_string", message: "expected text, found a list or an object" };
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return { reason: "unsafe_integer", message: "this whole number is too large to be read exactly; write it as a string" };
  }
  return { value: String(value) };
}

function readNumber(value: JsonValue): { value: number } | Unreadable {
  const number = typeof value === "string" && decimal.test(value.trim()) ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return { value: number };
  return { reason: "invalid_number", message: `expected a number such as 1234.5, found ${quote(value)}` };
}

function readBoolean(value: JsonValue): { value: boolean } | Unreadable {
  const text = String(value).trim().toLowerCase();
  if (["true", "1", "yes"].includes(text)) return { value: true };
  if (["false", "0", "no"].includes(text)) return { value: false };
  return { reason: "invalid_boolean", message: `expected true, false, 1, 0, yes or no, found ${quote(value)}` };
}

function readJson(text: string): { value: JsonValue } | Unreadable {
  try {
    return { value: JSON.parse(text) as JsonValue };
  } catch {
    return { reason: "invalid_json", message: `expected JSON, found ${quote(text)}` };
  }
}

/** Milliseconds since the Unix epoch. ISO-8601 without an offset is UTC, a date alone its midnight UTC. */
export function readTime(value: JsonValue, format: "iso" | "unix" | "unix_ms"): number | Unreadable {
  if (format === "iso") {
    const time = typeof value === "string" ? parseIsoTime(value.trim()) : undefined;
    return time ?? { reason: "invalid_time", message: `expected an ISO-8601 time such as 2026-02-15T10:30:00Z, found ${quote(value)}` };
  }
  const number = readNumber(value);
  const time = "value" in number ? Math.round(number.value * (format === "unix" ? 1000 : 1)) : Number.NaN;
  if (Math.abs(time) <= timeMsMax) return time;
  return { reason: "invalid_time", message: `expected ${format === "unix" ? "seconds" : "milliseconds"} since 1970, found ${quote(value)}` };
}

const quote = (value: JsonValue): string => {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};
