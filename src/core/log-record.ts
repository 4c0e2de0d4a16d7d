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

const slabBytes = 32_768;
const utf8BytesMax = 3;
let slab = Buffer.alloc(0);
let slabUsed = 0;

/**
 * The record of an event. Records are cut from a shared slab, none of whose bytes is given twice: the text is then written in
 * one pass, without being measured first. A record that is kept keeps its slab of 32 KB in memory.
 */
export function encodeRecord(event: CanonicalEvent, key: string): Buffer {
  const json = JSON.stringify(event);
  const bytesMax = headerBytes + json.length * utf8BytesMax;
  if (bytesMax > slab.length - slabUsed) {
    slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytesMax));
    slabUsed = 0;
  }
  const start = slabUsed;
  slab[start] = version;
  slab[start + 1] = (event.historical || event.held || event.replay ? 1 : 0) | (event.held ? 2 : 0) | (event.replay ? 4 : 0);
  slab.writeUInt32BE(event.tenantId, start + 2);
  slab.writeDoubleBE(event.ts, start + 6);
  slab.writeDoubleBE(event.receivedAt, start + 14);
  slab.write(key, start + 22, "hex");
  slabUsed = start + headerBytes + slab.write(json, start + headerBytes, "utf8");
  return slab.subarray(start, slabUsed);
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
