/**
 * Which positions of a log partition are in state: all below a low-water mark, and some above it, because event-time
 * order does not process a prefix of the log. Kept and stored as the mark and a bitmap (bit n stands for mark + n).
 */
export interface PositionSet {
  readonly lowWater: number;
  has(position: number): boolean;
  add(positions: Iterable<number>): void;
  /** The bits from the mark on, without trailing zeros. */
  bitmap(): Buffer;
}

/** Bits below the mark are dropped when this many bytes of them have gathered. */
const slackBytesMax = 4096;

export function createPositionSet(lowWater: number, bitmap: Uint8Array): PositionSet {
  let bits = new Uint8Array(Math.max(64, bitmap.length * 2));
  bits.set(bitmap);
  /** Position of bit 0; the mark is at or above it. */
  let base = lowWater;
  let mark = lowWater;
  let used = bitmap.length;

  const isSet = (bit: number): boolean => ((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  const advance = (): void => {
    while (isSet(mark - base)) mark++;
    const done = (mark - base) >>> 3;
    if (done < slackBytesMax) return;
    bits.copyWithin(0, done, used);
    bits.fill(0, Math.max(0, used - done), used);
    used = Math.max(0, used - done);
    base += done * 8;
  };
  const set = (bit: number): void => {
    const byte = bit >>> 3;
    if (byte >= bits.length) {
      const larger = new Uint8Array(Math.max(byte + 1, bits.length * 2));
      larger.set(bits);
      bits = larger;
    }
    bits[byte] = (bits[byte] ?? 0) | (1 << (bit & 7));
    if (byte >= used) used = byte + 1;
  };
  advance();
  return {
    get lowWater() {
      return mark;
    },
    has: (position) => position < mark || isSet(position - base),
    add(positions) {
      for (const position of positions) if (position >= mark) set(position - base);
      advance();
    },
    bitmap: () => shifted(bits.subarray(0, used), mark - base),
  };
}

/** The bits from `from` on, moved to the front. */
function shifted(bits: Uint8Array, from: number): Buffer {
  const skip = from >>> 3;
  const by = from & 7;
  const out = Buffer.alloc(Math.max(0, bits.length - skip));
  for (let i = 0; i < out.length; i++) out[i] = (((bits[i + skip] ?? 0) | ((bits[i + skip + 1] ?? 0) << 8)) >>> by) & 255;
  let end = out.length;
  while (end > 0 && out[end - 1] === 0) end--;
  return out.subarray(0, end);
}
