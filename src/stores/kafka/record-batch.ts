import { compressionsAlgorithmsByBitmask, crc32c } from "@platformatic/kafka";

// Kafka's record batch, version 2. The library writes and reads one object per field, which costs more than all the rest of an
// append; the log has neither keys nor headers, so a record here is its value.

const headerBytes = 61;
const lengthAt = 8;
const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;
const lastDeltaAt = 23;
const countAt = 57;
const compressionBits = 0b111;
const controlBit = 1 << 5;

/** Who writes, and where in its own row of records this batch belongs: a broker drops what it has already. */
export interface BatchOrigin {
  producerId: bigint;
  producerEpoch: number;
  sequence: number;
}

/** Consecutive records of a partition; `first` is the offset of the first of them. */
export interface RecordRun {
  first: number;
  records: Buffer[];
}

/** What the partition holds is no run of records; to read it again would change nothing. */
export class UnreadableError extends Error {}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value << 1; rest > 127; rest >>>= 7) bytes++;
  return bytes;
}

/** Of attributes, time delta, offset delta, absent key, value and count of headers. */
const recordBytes = (delta: number, valueBytes: number): number => 4 + varintBytes(delta) + varintBytes(valueBytes) + valueBytes;

/** Writes a number that is not negative, zigzag encoded; answers where the next byte goes. */
function writeVarint(into: Buffer, at: number, value: number): number {
  let rest = value << 1;
  for (; rest > 127; rest >>>= 7) into[at++] = (rest & 127) | 128;
  into[at++] = rest;
  return at;
}

/** Bytes of the batch that these records make. */
export function batchBytes(records: readonly Uint8Array[]): number {
  let bytes = headerBytes;
  let delta = 0;
  for (const { length } of records) {
    const inside = recordBytes(delta++, length);
    bytes += varintBytes(inside) + inside;
  }
  return bytes;
}

/** One batch of these records, at least one, in bytes. */
export function encodeBatch(records: readonly Uint8Array[], { producerId, producerEpoch, sequence }: BatchOrigin, now: number): Buffer {
  const batch = Buffer.allocUnsafe(batchBytes(records));
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - lengthAt - 4, lengthAt);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(2, magicAt);
  batch.writeInt16BE(0, attributesAt);
  batch.writeInt32BE(records.length - 1, lastDeltaAt);
  batch.writeBigInt64BE(BigInt(now), 27);
  batch.writeBigInt64BE(BigInt(now), 35);
  batch.writeBigInt64BE(producerId, 43);
  batch.writeInt16BE(producerEpoch, 51);
  batch.writeInt32BE(sequence, 53);
  batch.writeInt32BE(records.length, countAt);
  let at = headerBytes;
  let delta = 0;
  for (const record of records) {
    at = writeVarint(batch, at, recordBytes(delta, record.length));
    batch[at++] = 0;
    batch[at++] = 0;
    at = writeVarint(batch, at, delta++);
    batch[at++] = 1;
    at = writeVarint(batch, at, record.length);
    batch.set(record, at);
    at += record.length;
    batch[at++] = 0;
  }
  batch.writeUInt32BE(crc32c(batch.subarray(attributesAt)) >>> 0, crcAt);
  return batch;
}

/** Where reading has got to; one for all records of a batch, because there are many. */
interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** Moves on by `count` bytes, which have to be there; answers where they begin. */
function take(cursor: Cursor, count: number): number {
  const from = cursor.at;
  if (count < 0 || count > cursor.bytes.length - from) throw new UnreadableError("a record batch ends within a record");
  cursor.at = from + count;
  return from;
}

function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = cursor.bytes[take(cursor, 1)] ?? 0;
    value |= (byte & 127) << shift;
    if (byte < 128) return (value >>> 1) ^ -(value & 1);
  }
  throw new UnreadableError("a record batch has a number that is too long");
}

/** A number that may be longer, and does not matter. */
function skipVarint(cursor: Cursor): void {
  while ((cursor.bytes[take(cursor, 1)] ?? 0) > 127);
}

function readRecords(bytes: Buffer, start: number, count: number, into: Buffer[]): void {
  const cursor: Cursor = { bytes, at: start };
  for (let delta = 0; delta < count; delta++) {
    const length = readVarint(cursor);
    const end = take(cursor, length) + length;
    cursor.at = end - length;
    take(cursor, 1);
    skipVarint(cursor);
    if (readVarint(cursor) !== delta) throw new UnreadableError("a record batch has a gap: is the topic compacted?");
    // Keys and headers are somebody else's, and an absent value is empty.
    take(cursor, Math.max(0, readVarint(cursor)));
    const size = Math.max(0, readVarint(cursor));
    const from = take(cursor, size);
    if (cursor.at > end) throw new UnreadableError("a record goes beyond its own end");
    into.push(bytes.subarray(from, from + size));
    cursor.at = end;
  }
}

function readBatch(batch: Buffer, into: Buffer[]): void {
  const attributes = batch.readInt16BE(attributesAt);
  const count = batch.readInt32BE(countAt);
  if (batch.readInt8(magicAt) !== 2) throw new UnreadableError("a record batch is of an old format: was the topic made by a Kafka before 0.11?");
  if (crc32c(batch.subarray(attributesAt)) >>> 0 !== batch.readUInt32BE(crcAt)) throw new UnreadableError("a record batch is damaged: its checksum does not fit");
  if ((attributes & controlBit) !== 0 || batch.readInt32BE(lastDeltaAt) !== count - 1) {
    throw new UnreadableError("the topic holds what is no record: is it compacted, or does something else write to it?");
  }
  const compression = attributes & compressionBits;
  if (compression === 0) return readRecords(batch, headerBytes, count, into);
  const algorithm = compressionsAlgorithmsByBitmask[String(compression)];
  if (algorithm === undefined) throw new UnreadableError(`a record batch is compressed in an unknown way (${compression})`);
  readRecords(algorithm.decompressSync(batch.subarray(headerBytes)), 0, count, into);
}

/**
 * The records of all whole batches; a fetch may cut the last one off. Undefined when there is none. Throws on damage, and on what
 * would leave positions without a record, because nobody could ever process those.
 */
export function decodeBatches(bytes: Buffer): RecordRun | undefined {
  const records: Buffer[] = [];
  let first: number | undefined;
  for (let at = 0; bytes.length - at >= headerBytes; ) {
    const end = at + lengthAt + 4 + bytes.readInt32BE(at + lengthAt);
    if (end > bytes.length || end <= at) break;
    const offset = Number(bytes.readBigInt64BE(at));
    first ??= offset;
    if (offset !== first + records.length) throw new UnreadableError(`the topic has no records from offset ${first + records.length} to ${offset - 1}`);
    readBatch(bytes.subarray(at, end), records);
    at = end;
  }
  return first === undefined ? undefined : { first, records };
}
