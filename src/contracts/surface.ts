import type { TSchema } from "typebox";
import type { CanonicalEvent, EventKind } from "./canonical-event.ts";
import type { FieldError } from "./field-error.ts";
import type { JsonObject } from "./json.ts";

/** A value as sent, with the name its sender knows it by, so that an error can name that field. */
export interface Sent<T> {
  field: string;
  value: T;
}

/** An identifier as sent. `kindField` is set where the sender also chose the kind: `identifiers[2].type`. */
export interface SentIdentifier extends Sent<string | number> {
  kind: string;
  kindField?: string;
}

/** What a surface reads out of one row: names translated and JSON types checked, nothing judged yet. */
export interface Draft {
  kind: EventKind;
  name: Sent<string>;
  eventId?: Sent<string> | undefined;
  ts?: Sent<string> | undefined;
  sentAt?: Sent<string> | undefined;
  /** A `profile-…` id. */
  profileId?: Sent<string> | undefined;
  identifiers: SentIdentifier[];
  traits?: Sent<JsonObject> | undefined;
  properties?: JsonObject | undefined;
  context?: JsonObject | undefined;
  sessionId?: Sent<string> | undefined;
}

export interface SurfaceExample {
  title: string;
  row: JsonObject;
  /** What of the canonical event the example shows. */
  event: Partial<CanonicalEvent>;
}

/** One API's event shape. Only the surface knows its field names; everything after it speaks of the Draft. */
export interface Surface {
  name: string;
  summary: string;
  /** Schema of one row: checks its JSON types and documents it. */
  schema: TSchema;
  /** What the row is told when it names nobody. */
  nobody: FieldError;
  /** Whether a row on a shared route is written in this shape. A surface without it takes what no other one claims. */
  matches?(row: unknown): boolean;
  /** Never throws, whatever JSON it is given. */
  translate(row: unknown): Draft | FieldError[];
  examples: SurfaceExample[];
}
