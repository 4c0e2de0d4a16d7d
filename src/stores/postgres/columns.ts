/**
 * Whole columns as one parameter each, for `unnest($1::bigint[], …)`: in PostgreSQL's binary array format (array_recv), which
 * neither side has to write or read as text. The element type must be the one of the cast.
 */
const headerBytes = 20;

function open(oid: number, length: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(length === 0 ? headerBytes - 8 : headerBytes + bytes);
  buffer.writeInt32BE(length === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(0, 4);
  buffer.writeInt32BE(oid, 8);
  if (length === 0) return buffer;
  buffer.writeInt32BE(length, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
}

/** `int[]` */
export function int4s(values: readonly number[]): Buffer {
  const buffer = open(23, values.length, values.length * 8);
  let at = headerBytes;
  for (const value of values) {
    buffer.writeInt32BE(4, at);
    buffer.writeInt32BE(value, at + 4);
    at += 8;
  }
  return buffer;
}

/** `bigint[]`, of safe integers. */
export function int8s(values: readonly number[]): Buffer {
  const buffer = open(20, values.length, values.length * 12);
  let at = headerBytes;
  for (const value of values) {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer`);
    buffer.writeInt32BE(8, at);
    buffer.writeInt32BE(Math.floor(value / 2 ** 32), at + 4);
    buffer.writeUInt32BE(value >>> 0, at + 8);
    at += 12;
  }
  return buffer;
}

/** `float8[]` */
export function float8s(values: readonly number[]): Buffer {
  const buffer = open(701, values.length, values.length * 12);
  let at = headerBytes;
  for (const value of values) {
    buffer.writeInt32BE(8, at);
    buffer.writeDoubleBE(value, at + 4);
    at += 12;
  }
  return buffer;
}

/** `boolean[]` */
export function bools(values: readonly boolean[]): Buffer {
  const buffer = open(16, values.length, values.length * 5);
  let at = headerBytes;
  for (const value of values) {
    buffer.writeInt32BE(1, at);
    buffer[at + 4] = value ? 1 : 0;
    at += 5;
  }
  return buffer;
}

/** `text[]`. PostgreSQL refuses a zero byte in it as bad data. */
export function texts(values: readonly string[]): Buffer {
  let bytes = 0;
  for (const value of values) bytes += 4 + Buffer.byteLength(value);
  const buffer = open(25, values.length, bytes);
  let at = headerBytes;
  for (const value of values) {
    const written = buffer.write(value, at + 4, "utf8");
    buffer.writeInt32BE(written, at);
    at += 4 + written;
  }
  return buffer;
}

/** `bytea[]`; a string stands for one byte per character, `null` for SQL's. */
export function byteas(values: readonly (Uint8Array | string | null)[]): Buffer {
  let bytes = 0;
  for (const value of values) bytes += 4 + (value?.length ?? 0);
  const buffer = open(17, values.length, bytes);
  if (values.length > 0) buffer.writeInt32BE(1, 4);
  let at = headerBytes;
  for (const value of values) {
    buffer.writeInt32BE(value === null ? -1 : value.length, at);
    at += 4;
    if (value === null) continue;
    if (typeof value === "string") buffer.write(value, at, "latin1");
    else buffer.set(value, at);
    at += value.length;
  }
  return buffer;
}
