import { keyWord } from "../../core/event-key.ts";

/**
 * Which event keys were ever seen: a Bloom filter in blocks of 512 bits, one block and six of its bits for each key. It never
 * forgets, so a key that was remembered is never missed; one that was not is taken for seen with a chance that grows with
 * their number, and costs a question to history. With 128 MB: 10 M keys 2 · 10⁻⁷, 100 M keys 0.7 %, 200 M keys 10 %,
 * 500 M keys 68 % (from where on history is asked for most events, and answers as exactly as before).
 */
export interface KeyMemory {
  remember(key: string): void;
  /** True when the key was possibly seen. A hit must be decided by history. */
  mayHave(key: string): boolean;
  /** True when a miss proves that the key was never seen: from `rebuilt` on. */
  readonly complete: boolean;
  /** Called once the keys of everything in history have been remembered. Until then history decides for every event. */
  rebuilt(): void;
}

/** A block is what the processor loads at once. */
const blockWords = 16;
/** A place in a block: 4 bits for the word, 5 for the bit in it. A word of a key gives three places. */
const placeShifts = [23, 14, 5] as const;
const placeWords = [1, 2] as const;
export const bitsPerKey = placeShifts.length * placeWords.length;

export function createKeyMemory(bytesMax: number): KeyMemory {
  const blocks = Math.max(1, Math.floor(bytesMax / (blockWords * 4)));
  const words = new Uint32Array(blocks * blockWords);
  let complete = false;
  /** Keys are uniform hashes, so their own bits do. The block follows their order: a rebuild by key goes through memory once. */
  const blockOf = (key: string): number => Math.floor((keyWord(key, 0) / 2 ** 32) * blocks) * blockWords;
  return {
    remember(key) {
      const block = blockOf(key);
      for (const n of placeWords) {
        const places = keyWord(key, n);
        for (const shift of placeShifts) {
          const at = block + ((places >>> (shift + 5)) & 15);
          words[at] = (words[at] as number) | (1 << ((places >>> shift) & 31));
        }
      }
    },
    mayHave(key) {
      const block = blockOf(key);
      for (const n of placeWords) {
        const places = keyWord(key, n);
        for (const shift of placeShifts) {
          if (((words[block + ((places >>> (shift + 5)) & 15)] as number) & (1 << ((places >>> shift) & 31))) === 0) return false;
        }
      }
      return true;
    },
    get complete() {
      return complete;
    },
    rebuilt() {
      complete = true;
    },
  };
}
