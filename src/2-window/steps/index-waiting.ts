import { keyWord } from "../../core/event-key.ts";

/** Waiting events, each in a slot: its position in the log, and four words of its key from `slot * 4` on. */
export interface WaitingSlots {
  capacity: number;
  positions: Float64Array;
  keys: Uint32Array;
}

/** Finds the slots of a key, without an allocation per entry. */
export interface WaitingIndex {
  insert(slot: number): void;
  remove(slot: number): void;
  /** The slot of the smallest position at which the key waits. */
  find(key: string): number | undefined;
  /** Takes notice of a larger capacity. */
  grow(): void;
}

/** Cells per slot: half of them stay empty, so that a search soon ends at one. */
const cellsPerSlot = 2;

/**
 * Open addressing with one cell per key: 0 when empty, else 1 + the slot of the smallest position. The slots of one key form a
 * ring, so that a key sent a million times costs no more than a million keys.
 */
export function createWaitingIndex(slots: WaitingSlots): WaitingIndex {
  const rings = createRings(slots);
  let cells = new Int32Array();

  /** Keys are uniform hashes: their first word, taken as a fraction, says where a search begins. */
  const homeOf = (k0: number): number => Math.floor((k0 / 2 ** 32) * cells.length);
  const after = (cell: number): number => (cell + 1 === cells.length ? 0 : cell + 1);

  function cellOf(k0: number, k1: number, k2: number, k3: number): number {
    const { keys } = slots;
    let cell = homeOf(k0);
    for (let taken = cells[cell] as number; taken !== 0; taken = cells[cell] as number) {
      const at = (taken - 1) * 4;
      if (keys[at] === k0 && keys[at + 1] === k1 && keys[at + 2] === k2 && keys[at + 3] === k3) return cell;
      cell = after(cell);
    }
    return cell;
  }
  function cellOfSlot(slot: number): number {
    const { keys } = slots;
    const at = slot * 4;
    return cellOf(keys[at] as number, keys[at + 1] as number, keys[at + 2] as number, keys[at + 3] as number);
  }
  /** Moves back what would not be found any more once this cell is empty. */
  function empty(cell: number): void {
    let hole = cell;
    for (let at = after(hole); cells[at] !== 0; at = after(at)) {
      const home = homeOf(slots.keys[((cells[at] as number) - 1) * 4] as number);
      if (distance(home, at, cells.length) < distance(hole, at, cells.length)) continue;
      cells[hole] = cells[at] as number;
      hole = at;
    }
    cells[hole] = 0;
  }

  return {
    insert(slot) {
      const cell = cellOfSlot(slot);
      const taken = cells[cell] as number;
      cells[cell] = 1 + (taken === 0 ? rings.begin(slot) : rings.join(slot, taken - 1));
    },
    remove(slot) {
      const cell = cellOfSlot(slot);
      const next = rings.leave(slot);
      if (next === undefined) empty(cell);
      else if (cells[cell] === 1 + slot) cells[cell] = 1 + next;
    },
    find(key) {
      if (cells.length === 0) return undefined;
      const taken = cells[cellOf(keyWord(key, 0), keyWord(key, 1), keyWord(key, 2), keyWord(key, 3))] as number;
      return taken === 0 ? undefined : taken - 1;
    },
    grow() {
      const known = cells;
      cells = new Int32Array(slots.capacity * cellsPerSlot);
      rings.grow();
      for (const taken of known) if (taken !== 0) cells[cellOfSlot(taken - 1)] = taken;
    },
  };
}

const distance = (from: number, to: number, length: number): number => (to >= from ? to - from : to - from + length);

/** Rings of slots by ascending position; the smallest is followed, backwards, by the largest. */
function createRings(slots: WaitingSlots) {
  let next = new Int32Array();
  let previous = new Int32Array();
  const positionOf = (slot: number): number => slots.positions[slot] as number;
  const before = (slot: number): number => previous[slot] as number;
  return {
    begin(slot: number): number {
      next[slot] = slot;
      previous[slot] = slot;
      return slot;
    },
    /** Answers who is the first now. Positions come in ascending order as a rule, so the place is looked for from the end. */
    join(slot: number, first: number): number {
      let last = before(first);
      while (last !== first && positionOf(last) > positionOf(slot)) last = before(last);
      const isFirst = last === first && positionOf(first) > positionOf(slot);
      if (isFirst) last = before(first);
      const behind = next[last] as number;
      next[last] = slot;
      previous[slot] = last;
      next[slot] = behind;
      previous[behind] = slot;
      return isFirst ? slot : first;
    },
    /** Answers who follows; nobody when the slot was alone. */
    leave(slot: number): number | undefined {
      const behind = next[slot] as number;
      if (behind === slot) return undefined;
      next[before(slot)] = behind;
      previous[behind] = before(slot);
      return behind;
    },
    grow(): void {
      next = enlarged(next, slots.capacity);
      previous = enlarged(previous, slots.capacity);
    },
  };
}

function enlarged(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}
