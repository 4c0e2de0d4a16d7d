/**
 * A bounded map from numbers to numbers in two typed arrays, which the garbage collector does not walk. What is asked for or
 * set is in the young generation; when that is full the old one is dropped and takes its place. So what was used among the
 * latest half of `entriesMax` entries is surely there, and never more than `entriesMax` are.
 */
export interface TwoGenerations {
  /** Copies the value of `key` into `value`. False when there is none (any more); `value` is then as it was. */
  get(key: Uint32Array, value: Uint32Array): boolean;
  set(key: Uint32Array, value: Uint32Array): void;
}

/** A row is the words of the key and then those of the value. Its first word is 0 while it is free. */
interface Generation {
  words: Uint32Array;
  count: number;
}

/** Rows of a generation that are taken when it is full: four thirds of a row for each entry. */
const loadMax = 0.75;

/** The first word of a key must not be 0. Keys are compared in full. Memory: 4/3 of 4 bytes a word and entry. */
export function createTwoGenerations(entriesMax: number, keyWords: number, valueWords: number): TwoGenerations {
  return new Generations(entriesMax, keyWords, valueWords);
}

/** A class, because the engine compiles closures over what changes again and again. */
class Generations implements TwoGenerations {
  #young: Generation;
  #old: Generation | undefined;
  readonly #youngMax: number;
  readonly #rows: number;
  readonly #keyWords: number;
  readonly #valueWords: number;

  constructor(entriesMax: number, keyWords: number, valueWords: number) {
    this.#keyWords = keyWords;
    this.#valueWords = valueWords;
    this.#youngMax = Math.max(1, Math.floor(entriesMax / 2));
    this.#rows = Math.ceil(this.#youngMax / loadMax) + 1;
    this.#young = this.#make();
  }

  get(key: Uint32Array, value: Uint32Array): boolean {
    const hash = mix(key, this.#keyWords);
    const at = this.#rowOf(this.#young.words, key, hash);
    if (this.#young.words[at] !== 0) {
      copy(this.#young.words, at + this.#keyWords, value, 0, this.#valueWords);
      return true;
    }
    if (!this.#old) return false;
    const before = this.#rowOf(this.#old.words, key, hash);
    if (this.#old.words[before] === 0) return false;
    copy(this.#old.words, before + this.#keyWords, value, 0, this.#valueWords);
    this.#put(key, value, hash);
    return true;
  }

  set(key: Uint32Array, value: Uint32Array): void {
    this.#put(key, value, mix(key, this.#keyWords));
  }

  #make(): Generation {
    return { words: new Uint32Array(this.#rows * (this.#keyWords + this.#valueWords)), count: 0 };
  }

  /** Where the key's row begins, or the free one that it would take. */
  #rowOf(words: Uint32Array, key: Uint32Array, hash: number): number {
    const rowWords = this.#keyWords + this.#valueWords;
    let row = Math.floor((hash / 2 ** 32) * this.#rows);
    for (;;) {
      const at = row * rowWords;
      if (words[at] === 0 || holds(words, at, key, this.#keyWords)) return at;
      row = row + 1 === this.#rows ? 0 : row + 1;
    }
  }

  #rotate(): void {
    const next = this.#old ?? this.#make();
    next.words.fill(0);
    next.count = 0;
    this.#old = this.#young;
    this.#young = next;
  }

  #put(key: Uint32Array, value: Uint32Array, hash: number): void {
    let at = this.#rowOf(this.#young.words, key, hash);
    if (this.#young.words[at] === 0) {
      if (this.#young.count >= this.#youngMax) {
        this.#rotate();
        at = this.#rowOf(this.#young.words, key, hash);
      }
      this.#young.count++;
      copy(key, 0, this.#young.words, at, this.#keyWords);
    }
    copy(value, 0, this.#young.words, at + this.#keyWords, this.#valueWords);
  }
}

function holds(words: Uint32Array, at: number, key: Uint32Array, length: number): boolean {
  for (let n = 0; n < length; n++) if (words[at + n] !== key[n]) return false;
  return true;
}

function copy(from: Uint32Array, fromAt: number, to: Uint32Array, toAt: number, length: number): void {
  for (let n = 0; n < length; n++) to[toAt + n] = from[fromAt + n] as number;
}

/** Spreads keys that follow each other (Murmur3's rounds and finish). */
function mix(key: Uint32Array, length: number): number {
  let hash = 0;
  for (let n = 0; n < length; n++) {
    const word = Math.imul(key[n] as number, 0xcc9e2d51);
    hash ^= Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
