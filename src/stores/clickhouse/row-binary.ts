import { keyWord } from "../../core/event-key.ts";

/**
 * Writes values of ClickHouse's RowBinary format one behind the other: numbers little-endian, texts after their length in bytes.
 * A row is its columns in the order of the insert, without anything between them.
 */
export interface RowWriter {
  /** Also a Bool, and the mark before a Nullable: 1 where there is no value. */
  uint8(value: number | boolean): void;
  uint32(value: number): void;
  /** A safe integer; also DateTime64(3) from milliseconds and UInt64 from what is not negative. */
  int64(value: number): void;
  /** Also Decimal(38, n) from its 10⁻ⁿ, given as a decimal integer. */
  int128(value: string): void;
  /** An event key as UInt128. */
  key(value: string): void;
  float32(value: number): void;
  /** Before the elements of an Array their number; before pieces of a String its bytes. */
  size(count: number): void;
  /** String, or LowCardinality(String). */
  text(value: string): void;
  /** A piece of a String, ASCII only. */
  ascii(value: string): void;
  /** A piece of a String: UTF-8, `bytes` from one place to another. */
  raw(bytes: Uint8Array, from: number, to: number): void;
}

const utf8BytesMax = 3;
const sizeBytesMax = 5;
/** Up to this many letters a loop is faster than a call out of JavaScript, and their size takes one byte. */
const shortText = 42;
const word = 2 ** 32;

/** Memory that rows are written into and that is used again and again. */
export class RowBuffer implements RowWriter {
  #bytes: Buffer;
  #view: DataView;
  #end = 0;

  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#end;
  }

  /** What was written since the last time. Holds until more is written. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#end);
    this.#end = 0;
    return taken;
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#end + more, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  uint8(value: number | boolean): void {
    this.#reserve(1);
    this.#bytes[this.#end++] = Number(value);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#end, value, true);
    this.#end += 4;
  }

  int64(value: number): void {
    this.#reserve(8);
    const high = Math.floor(value / word);
    this.#view.setUint32(this.#end, value - high * word, true);
    this.#view.setInt32(this.#end + 4, high, true);
    this.#end += 8;
  }

  int128(value: string): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) {
      this.int64(number);
      this.int64(number < 0 ? -1 : 0);
      return;
    }
    this.#reserve(16);
    this.#view.setBigUint64(this.#end, BigInt.asUintN(64, BigInt(value)), true);
    this.#view.setBigInt64(this.#end + 8, BigInt.asIntN(64, BigInt(value) >> 64n), true);
    this.#end += 16;
  }

  key(value: string): void {
    this.#reserve(16);
    for (let n = 3; n >= 0; n--) {
      this.#view.setUint32(this.#end, keyWord(value, n), true);
      this.#end += 4;
    }
  }

  float32(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#end, value, true);
    this.#end += 4;
  }

  size(count: number): void {
    this.#reserve(sizeBytesMax);
    let rest = count;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes[this.#end++] = (rest & 127) | 128;
    this.#bytes[this.#end++] = rest;
  }

  text(value: string): void {
    if (value.length <= shortText && this.#shortAscii(value)) return;
    const bytes = Buffer.byteLength(value, "utf8");
    this.size(bytes);
    this.#reserve(bytes);
    this.#end += this.#bytes.write(value, this.#end, "utf8");
  }

  #shortAscii(value: string): boolean {
    this.#reserve(1 + value.length);
    const bytes = this.#bytes;
    let at = this.#end + 1;
    for (let n = 0; n < value.length; n++) {
      const code = value.charCodeAt(n);
      if (code > 127) return false;
      bytes[at++] = code;
    }
    bytes[this.#end] = value.length;
    this.#end = at;
    return true;
  }

  ascii(value: string): void {
    this.#reserve(value.length * utf8BytesMax);
    this.#end += this.#bytes.write(value, this.#end, "latin1");
  }

  raw(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from);
    Buffer.prototype.copy.call(bytes, this.#bytes, this.#end, from, to);
    this.#end += to - from;
  }
}

/** Writes rows a chunk at a time. A chunk's bytes hold until the next one is asked for. */
export function* rowChunks<T>(buffer: RowBuffer, items: readonly T[], write: (row: RowWriter, item: T) => void, chunkBytes: number): Generator<Buffer, void> {
  buffer.take();
  for (const item of items) {
    write(buffer, item);
    if (buffer.length >= chunkBytes) yield buffer.take();
  }
  if (buffer.length > 0) yield buffer.take();
}
