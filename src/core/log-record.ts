import type { CanonicalEvent, EventBody, EventHead } from "../contracts/canonical-event.ts";
import type { JsonObject, JsonValue } from "../contracts/json.ts";

/**
 * A log record: a fixed header that window and look-ups read without parsing, then the canonical event in parts, each as JSON
 * (UTF-8), so that what history keeps as text is never made into objects on its way there.
 *
 *   0      version (2)
 *   1      flags: 1 immediate (bypasses the window), 2 held, 4 replay (its receivedAt is that of its first arrival)
 *   2–5    tenantId, unsigned 32-bit big-endian
 *   6–13   ts, 64-bit float big-endian
 *   14–21  receivedAt, 64-bit float big-endian
 *   22–37  event key, 16 bytes
 *   38–53  lengths of the parts rest, what, properties and context, unsigned 32-bit big-endian; 0 where there is none
 *   54–    `[`rest of the event`,`what (kind, name, identifiers, traits)`]`, properties, context without ip, ip
 *
 * Version 1 had the whole event as one JSON text from byte 38 on, and is still read.
 */
const keyAt = 22;
const headBytes = 38;
const partsAt = 54;
const version = 2;

export interface RecordHead {
  immediate: boolean;
  held: boolean;
  replay: boolean;
  tenantId: number;
  ts: number;
  receivedAt: number;
  key: string;
}

type What = Pick<CanonicalEvent, "kind" | "name" | "identifiers" | "traits">;
type Rest = Omit<EventHead, keyof What | "tenantId" | "ts" | "receivedAt">;

const slabBytes = 32_768;
const utf8BytesMax = 3;
let slab = Buffer.alloc(0);
let slabUsed = 0;

/**
 * The record of an event. Records are cut from a shared slab, none of whose bytes is given twice: the text is then written in
 * one pass, without being measured first. A record that is kept keeps its slab of 32 KB in memory.
 */
export function encodeRecord(event: CanonicalEvent, key: string): Buffer {
  const { kind, name, identifiers, traits, properties, sourceId, eventId, sentAt, late, historical, serverTs, serverId, sessionId, money, emq, warnings, held, replay } = event;
  const what: What = { kind, name, identifiers, ...(traits && { traits }) };
  const rest = { sourceId, eventId, sentAt, late, historical, serverTs, serverId, sessionId, money, emq, warnings, held, replay };
  const { ip, ...context } = event.context ?? {};
  const parts = [
    `[${JSON.stringify(rest)},`,
    `${JSON.stringify(what)}]`,
    properties === undefined ? "" : JSON.stringify(properties),
    event.context === undefined ? "" : JSON.stringify(context),
    ip === undefined ? "" : JSON.stringify(ip),
  ];
  let characters = 0;
  for (const part of parts) characters += part.length;
  const start = reserve(partsAt + characters * utf8BytesMax);
  slab[start] = version;
  slab[start + 1] = (historical || held || replay ? 1 : 0) | (held ? 2 : 0) | (replay ? 4 : 0);
  slab.writeUInt32BE(event.tenantId, start + 2);
  slab.writeDoubleBE(event.ts, start + 6);
  slab.writeDoubleBE(event.receivedAt, start + 14);
  slab.write(key, start + keyAt, "hex");
  let end = start + partsAt;
  for (let n = 0; n < parts.length; n++) {
    const written = slab.write(parts[n] as string, end, "utf8");
    if (n < parts.length - 1) slab.writeUInt32BE(written, start + headBytes + n * 4);
    end += written;
  }
  slabUsed = end;
  return slab.subarray(start, end);
}

/** Where in the slab so many bytes may be written. */
function reserve(bytesMax: number): number {
  if (bytesMax > slab.length - slabUsed) {
    slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytesMax));
    slabUsed = 0;
  }
  return slabUsed;
}

const view = (bytes: Uint8Array): Buffer => (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));

export function decodeHead(bytes: Uint8Array): RecordHead {
  const record = view(bytes);
  checkVersion(record);
  const flags = record[1] ?? 0;
  return {
    immediate: (flags & 1) !== 0,
    held: (flags & 2) !== 0,
    replay: (flags & 4) !== 0,
    tenantId: record.readUInt32BE(2),
    ts: record.readDoubleBE(6),
    receivedAt: record.readDoubleBE(14),
    key: record.toString("hex", keyAt, headBytes),
  };
}

/** The event key alone. Throws for a record that cannot be read. */
export function decodeKey(bytes: Uint8Array): string {
  const record = view(bytes);
  checkVersion(record);
  return record.toString("hex", keyAt, headBytes);
}

function checkVersion(record: Buffer): void {
  if (record[0] !== version && record[0] !== 1) throw new Error(`log record of version ${record[0]}, expected ${version}`);
}

export interface DecodedRecord {
  event: EventHead;
  body: EventBody;
}

/** What an event says happened, times and ids left out: the same for a copy that was sent again. */
export const contentOf = ({ bytes, whatAt, contextAt }: EventBody): Uint8Array => bytes.subarray(whatAt, contextAt);

/** The event of a record: what processing reads as an object, the rest as it lies there. */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  const record = current(view(bytes));
  const whatAt = partsAt + record.readUInt32BE(headBytes);
  const propertiesAt = whatAt + record.readUInt32BE(headBytes + 4);
  const contextAt = propertiesAt + record.readUInt32BE(headBytes + 8);
  const ipAt = contextAt + record.readUInt32BE(headBytes + 12);
  const [rest, what] = JSON.parse(record.toString("utf8", partsAt, propertiesAt)) as [Rest, What];
  return { event: eventOf(record, rest, what), body: { bytes: record, whatAt, propertiesAt, contextAt, ipAt } };
}

/** Every event has every field, in one order: objects of one shape are small, and quick to read. */
function eventOf(record: Buffer, rest: Rest, what: What): EventHead {
  const event: { [field in keyof Required<EventHead>]: EventHead[field] | undefined } = {
    tenantId: record.readUInt32BE(2),
    sourceId: rest.sourceId,
    eventId: rest.eventId,
    kind: what.kind,
    name: what.name,
    ts: record.readDoubleBE(6),
    receivedAt: record.readDoubleBE(14),
    sentAt: rest.sentAt,
    late: rest.late,
    historical: rest.historical,
    serverTs: rest.serverTs,
    serverId: rest.serverId,
    identifiers: what.identifiers,
    traits: what.traits,
    sessionId: rest.sessionId,
    money: rest.money,
    emq: rest.emq,
    warnings: rest.warnings,
    held: rest.held,
    replay: rest.replay,
  };
  return event as EventHead;
}

/** A record of version 1 as one of the present version. */
function current(record: Buffer): Buffer {
  if (record[0] === version) return record;
  checkVersion(record);
  return encodeRecord(JSON.parse(record.toString("utf8", headBytes)) as CanonicalEvent, record.toString("hex", keyAt, headBytes));
}

const parse = (bytes: Uint8Array, from: number, to: number): unknown => JSON.parse(view(bytes).toString("utf8", from, to));

/** A body's properties; undefined when the event has none. */
const propertiesOf = ({ bytes, propertiesAt, contextAt }: EventBody): JsonObject | undefined =>
  (propertiesAt === contextAt ? undefined : (parse(bytes, propertiesAt, contextAt) as JsonObject));

/** A body's context, ip included; undefined when the event has none. */
function contextOf({ bytes, contextAt, ipAt }: EventBody): JsonObject | undefined {
  if (contextAt === ipAt) return undefined;
  const open = parse(bytes, contextAt, ipAt) as JsonObject;
  if (ipAt < bytes.length) open["ip"] = parse(bytes, ipAt, bytes.length) as JsonValue;
  return open;
}

/** The canonical event that was put into a record. */
export function wholeEvent(event: EventHead, body: EventBody): CanonicalEvent {
  const [properties, context] = [propertiesOf(body), contextOf(body)];
  return { ...event, ...(properties && { properties }), ...(context && { context }) };
}

export function decodeEvent(bytes: Uint8Array): CanonicalEvent {
  const { event, body } = decodeRecord(bytes);
  return wholeEvent(event, body);
}
