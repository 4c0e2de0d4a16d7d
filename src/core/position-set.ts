/**
 * Which positions of a log partition are in state: all below a low-water mark, and some above it, because event-time
 * order does not process a prefix of the log. Stored as the mark and a bitmap (bit n stands for mark + n).
 */
export interface PositionSet {
  readonly lowWater: number;
  has(position: number): boolean;
  add(positions: Iterable<number>): void;
  /** How many positions above the mark are in the set. */
  readonly aboveCount: number;
  bitmap(): Buffer;
}

export function createPositionSet(lowWater: number, bitmap: Uint8Array): PositionSet {
  let mark = lowWater;
  const above = new Set<number>();
  bitmap.forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) above.add(lowWater + index * 8 + bit);
  });
  const advance = (): void => {
    while (above.delete(mark)) mark++;
  };
  advance();
  return {
    get lowWater() {
      return mark;
    },
    get aboveCount() {
      return above.size;
    },
    has: (position) => position < mark || above.has(position),
    add(positions) {
      for (const position of positions) if (position >= mark) above.add(position);
      advance();
    },
    bitmap() {
      let last = mark - 1;
      for (const position of above) if (position > last) last = position;
      const bytes = Buffer.alloc(Math.ceil((last - mark + 1) / 8));
      for (const position of above) {
        const bit = position - mark;
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
      }
      return bytes;
    },
  };
}
