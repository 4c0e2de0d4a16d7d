import type { JsonObject } from "./json.ts";

export type EventKind = "identify" | "track" | "alias" | "page" | "screen" | "group" | "merge" | "consent";
export type Entity = "person" | "account";

/**
 * One identifier as sent, already normalised (e-mail trimmed and lower-cased, phone E.164).
 * Kind `profile` stands for a `profileId` in the request: its value is the decimal identity number that the public id
 * carries, and it ranks before every other kind.
 */
export interface Identifier {
  entity: Entity;
  kind: string;
  value: string;
}

/** What a purchase or refund event is worth. Rounded half-even to 10⁻⁶ once, at the door. */
export interface Money {
  role: "purchase" | "refund";
  /** Signless decimal integer, in millionths of the currency unit. */
  micros: string;
  /** ISO 4217, upper case. */
  currency: string;
  /** Of one profile's purchases with an equal order id only the smallest (ts, event key) counts. */
  orderId?: string;
}

/**
 * The one shape behind the door: every surface is translated to it, and nothing behind 1-ingest knows the surfaces.
 * All times are milliseconds since the Unix epoch. `identifiers` come strongest first (priority, then hash order is
 * decided in 3-resolve), duplicates removed, blocked values already dropped.
 */
export interface CanonicalEvent {
  tenantId: number;
  sourceId: number;
  eventId: string;
  kind: EventKind;
  /** Event name as sent for track; for other kinds the kind itself unless the surface has a name (page and screen do). */
  name: string;
  ts: number;
  receivedAt: number;
  sentAt?: number;
  /** Older than window and grace when it was accepted. Decided once, at the door. */
  late: boolean;
  /** An import: bypasses the window and changes segment memberships silently. */
  historical?: boolean;
  /** True when the server made up `ts` or when it was replaced by `receivedAt`: a resend may then carry another one. */
  serverTs?: boolean;
  /** True when the server made up the event id: nobody can send it again. */
  serverId?: boolean;
  identifiers: Identifier[];
  traits?: JsonObject;
  properties?: JsonObject;
  context?: JsonObject;
  sessionId?: string;
  money?: Money;
  /** Event match quality, 0…1; absent only in records of an older release, and then 0. */
  emq?: number;
  /** Codes of what was accepted but is suspicious: `future_timestamp`, `invalid_phone`, `no_identifier`, … */
  warnings: string[];
  /** Set when the source's late policy held the event back at the door: it goes to the held events, not to a profile. */
  held?: "late";
  /** A held event that was released: the look-up for duplicates ignores its own held row. */
  replay?: boolean;
}

/** An event as processing carries it: what only history needs to know stays behind, see EventBody. */
export type EventHead = Omit<CanonicalEvent, "properties" | "context">;

/**
 * Parts of an event as JSON in UTF-8, one behind the other in `bytes`; no bytes at all where there is none. Places instead of
 * pieces, because a piece of a buffer costs more memory than most parts.
 */
export interface EventBody {
  bytes: Uint8Array;
  /** kind, name, identifiers and traits as one object; ends a byte before `propertiesAt`. */
  whatAt: number;
  propertiesAt: number;
  /** Without `ip`, which is personal. */
  contextAt: number;
  /** Ends where `bytes` end. */
  ipAt: number;
}
