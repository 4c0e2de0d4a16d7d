import type { CanonicalEvent } from "../contracts/canonical-event.ts";

/**
 * A log record: a fixed header that window and look-ups read without parsing, then the canonical event as JSON (UTF-8).
 *
 *   0      version (1)
 *   1      flags: 1 immediate (bypasses the window), 2 held, 4 replay (its receivedAt is that of its first arrival)
 *   2–5    tenantId, unsigned 32-bit big-endian
 *   6–13   ts, 64-bit float big-endian
 *   14–21  receivedAt, 64-bit float big-endian
 *   22–37  event key, 16 bytes
 */
const headerBytes = 38;
const version = 1;

export interface RecordHead {
  immediate: boolean;
  held: boolean;
  replay: boolean;
  tenantId: number;
  ts: number;
  receivedAt: number;
  key: string;
}

export function encodeRecord(event: CanonicalEvent, key: string): Buffer {
  const json = JSON.stringify(event);
  const record = Buffer.allocUnsafe(headerBytes + Buffer.byteLength(json));
  record[0] = version;
  record[1] = (event.historical || event.held || event.replay ? 1 : 0) | (event.held ? 2 : 0) | (event.replay ? 4 : 0);
  record.writeUInt32BE(event.tenantId, 2);
  record.writeDoubleBE(event.ts, 6);
  record.writeDoubleBE(event.receivedAt, 14);
  record.write(key, 22, "hex");
  record.write(json, headerBytes, "utf8");
  return record;
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function decodeHead(bytes: Uint8Array): RecordHead {
  const record = view(bytes);
  if (record[0] !== version) throw new Error(`log record of version ${record[0]}, expected ${version}`);
  const flags = record[1] ?? 0;
  return {
    immediate: (flags & 1) !== 0,
    held: (flags & 2) !== 0,
    replay: (flags & 4) !== 0,
    tenantId: record.readUInt32BE(2),
    ts: record.readDoubleBE(6),
    receivedAt: record.readDoubleBE(14),
    key: record.toString("hex", 22, headerBytes),
  };
}

export function decodeEvent(bytes: Uint8Array): CanonicalEvent {
  return JSON.parse(view(bytes).toString("utf8", headerBytes)) as CanonicalEvent;
}
