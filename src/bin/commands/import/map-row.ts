import type { JsonObject, JsonValue } from "../../../contracts/json.ts";
import type { FieldError } from "../../../contracts/field-error.ts";
import { toIso } from "../../../core/time.ts";
import type { Mapping, ValueSource } from "./mapping.ts";
import { readField, readText, readTime, readTyped } from "./read-field.ts";

/** One event as `POST /api/cdp/events/batch` takes it. */
export interface EventBody {
  eventId?: string;
  type: string;
  timestamp?: string;
  identifiers: { type: string; value: string }[];
  properties?: JsonObject;
  traits?: JsonObject;
  context?: JsonObject;
  sessionId?: string;
  source?: string;
}

export type MappedRow = { event: EventBody } | { errors: FieldError[] };

/** What one row becomes under the mapping. Pure. `eventId` is only set when the mapping names its fields. */
export function mapRow(mapping: Mapping, row: JsonObject): MappedRow {
  const errors: FieldError[] = [];
  const event: EventBody = { type: mapEventName(mapping, row, errors), identifiers: mapIdentifiers(mapping, row, errors) };
  const eventId = mapping.eventId && mapEventId(mapping.eventId, row, errors);
  if (eventId !== undefined) event.eventId = eventId;
  const timestamp = mapping.timestamp && mapTimestamp(mapping.timestamp, row, errors);
  if (timestamp !== undefined) event.timestamp = timestamp;
  for (const group of ["properties", "traits", "context"] as const) {
    const values = mapping[group] && mapGroup(mapping[group], row, errors);
    if (values && Object.keys(values).length > 0) event[group] = values;
  }
  const sessionId = mapping.sessionId && mapText("sessionId", mapping.sessionId, row, errors);
  if (sessionId !== undefined) event.sessionId = sessionId;
  if (mapping.source !== undefined) event.source = mapping.source;
  return errors.length > 0 ? { errors } : { event };
}

function mapEventName(mapping: Mapping, row: JsonObject, errors: FieldError[]): string {
  if (typeof mapping.event === "string") return mapping.event;
  const name = mapText("event", mapping.event, row, errors);
  if (name === undefined) errors.push(required(mapping.event.field, "the event's name"));
  return name ?? "";
}

function mapIdentifiers(mapping: Mapping, row: JsonObject, errors: FieldError[]): EventBody["identifiers"] {
  const before = errors.length;
  const identifiers: EventBody["identifiers"] = [];
  for (const [type, source] of Object.entries(mapping.identifiers)) {
    const value = mapText(`identifiers.${type}`, source, row, errors);
    if (value !== undefined) identifiers.push({ type, value });
  }
  if (identifiers.length === 0 && errors.length === before) {
    errors.push({ field: "identifiers", reason: "no_identifier", message: `none of ${Object.keys(mapping.identifiers).join(", ")} has a value in this row` });
  }
  return identifiers;
}

/** Parts are escaped before joining, so that ("a:b", "c") and ("a", "b:c") stay two ids. A single part is taken as it is. */
function mapEventId(parts: NonNullable<Mapping["eventId"]>, row: JsonObject, errors: FieldError[]): string {
  const values = parts.map((part) => {
    const value = mapText("eventId", part, row, errors);
    if (value === undefined) errors.push(required(typeof part === "string" ? part : "eventId", "a part of the eventId"));
    return value ?? "";
  });
  return values.length === 1 ? (values[0] ?? "") : values.map((value) => value.replace(/[\\:]/g, "\\$&")).join(":");
}

function mapTimestamp(source: NonNullable<Mapping["timestamp"]>, row: JsonObject, errors: FieldError[]): string | undefined {
  const { field, format = "iso" } = typeof source === "string" ? { field: source } : source;
  const raw = readField(row, field);
  if (raw === undefined) {
    errors.push(required(field, "the event's time"));
    return undefined;
  }
  const time = readTime(raw, format);
  if (typeof time === "number") return toIso(time);
  errors.push({ field, ...time });
  return undefined;
}

/** Dots in a name nest: `page.url` becomes {"page":{"url":…}}. */
function mapGroup(sources: Record<string, ValueSource>, row: JsonObject, errors: FieldError[]): JsonObject {
  const values: JsonObject = {};
  for (const [name, source] of Object.entries(sources)) {
    const value = mapValue(source, row, errors);
    if (value === undefined) continue;
    const path = name.split(".");
    const last = path.pop() ?? name;
    let target = values;
    for (const part of path) target = (target[part] ??= {}) as JsonObject;
    target[last] = value;
  }
  return values;
}

function mapValue(source: ValueSource, row: JsonObject, errors: FieldError[]): JsonValue | undefined {
  if (typeof source === "object" && "value" in source) return source.value as JsonValue;
  const { field, type } = typeof source === "string" ? { field: source, type: undefined } : source;
  const raw = readField(row, field);
  if (raw === undefined) return undefined;
  const typed = readTyped(raw, type);
  if ("value" in typed) return typed.value;
  errors.push({ field, ...typed });
  return undefined;
}

function mapText(name: string, source: ValueSource, row: JsonObject, errors: FieldError[]): string | undefined {
  const before = errors.length;
  const value = mapValue(source, row, errors);
  if (value === undefined || errors.length > before) return undefined;
  const text = readText(value);
  if ("value" in text) return text.value;
  errors.push({ field: typeof source === "string" ? source : "field" in source ? source.field : name, ...text });
  return undefined;
}

const required = (field: string, what: string): FieldError => ({ field, reason: "required", message: `${field} is empty, and it is ${what}` });
