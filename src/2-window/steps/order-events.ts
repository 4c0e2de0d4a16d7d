import { createWaitingIndex, type WaitingSlots } from "./index-waiting.ts";

/**
 * The reorder buffer: events wait by their time and leave by (ts, key, position). Everything is kept in typed arrays, which
 * the garbage collector does not walk.
 */
export interface OrderBuffer {
  /** An event waits: its time (ms), where the log has it, and its key as four unsigned 32-bit words. */
  add(ts: number, position: number, k0: number, k1: number, k2: number, k3: number): void;
  /** Takes out up to `max` events at or below the watermark, in order; when full, the oldest beyond it too (`early` counts them). */
  release(watermark: number, max: number): { positions: number[]; early: number };
  /** The smallest position at which an event of this key waits. */
  positionOf(key: string): number | undefined;
  readonly size: number;
  readonly full: boolean;
}

/** What one waiting event costs: heap 12, position 8, key 16, neighbours 8, index 8. */
export const waitingBytes = 52;
const capacityFirst = 256;
/** Whoever fills the buffer looks whether it is full once a chunk. */
const overshootMax = 2048;
/** Children of a place in the heap: their times lie in one cache line. */
const arity = 4;

/** Where events wait: the heap's first `size` places. Each has its time and its slot; behind them are slots that came free. */
interface Heap extends WaitingSlots {
  size: number;
  /** Slots ever taken. */
  used: number;
  times: Float64Array;
  order: Int32Array;
}

export function createOrderBuffer(bytesMax: number): OrderBuffer {
  const entriesMax = Math.max(1, Math.floor(bytesMax / waitingBytes));
  const heap: Heap = {
    capacity: 0, size: 0, used: 0, times: new Float64Array(), order: new Int32Array(), positions: new Float64Array(), keys: new Uint32Array(),
  };
  const index = createWaitingIndex(heap);
  const grow = (): void => {
    const most = entriesMax + overshootMax;
    resize(heap, heap.capacity < most ? Math.min(Math.max(capacityFirst, 2 * heap.capacity), most) : heap.capacity + overshootMax);
    index.grow();
  };
  return {
    add(ts, position, k0, k1, k2, k3) {
      if (heap.size === heap.capacity) grow();
      const slot = heap.size < heap.used ? heap.order[heap.size] as number : heap.used++;
      const { keys } = heap;
      keys[slot * 4] = k0;
      keys[slot * 4 + 1] = k1;
      keys[slot * 4 + 2] = k2;
      keys[slot * 4 + 3] = k3;
      heap.positions[slot] = position;
      index.insert(slot);
      rise(heap, heap.size++, ts, slot);
    },
    release(watermark, max) {
      const positions: number[] = [];
      let early = 0;
      // A full buffer makes room for a quarter of itself, so that reading on does not release one at a time.
      const keepMax = heap.size >= entriesMax ? entriesMax * 0.75 : Infinity;
      while (positions.length < max && heap.size > 0) {
        if (heap.times[0] as number > watermark) {
          if (heap.size <= keepMax) break;
          early++;
        }
        const slot = takeFirst(heap);
        index.remove(slot);
        positions.push(heap.positions[slot] as number);
      }
      return { positions, early };
    },
    positionOf(key) {
      const slot = index.find(key);
      return slot === undefined ? undefined : heap.positions[slot];
    },
    get size() {
      return heap.size;
    },
    get full() {
      return heap.size >= entriesMax;
    },
  };
}

function resize(heap: Heap, capacity: number): void {
  const enlarge = <A extends Float64Array | Int32Array | Uint32Array>(from: A, to: A): A => (to.set(from), to);
  heap.times = enlarge(heap.times, new Float64Array(capacity));
  heap.order = enlarge(heap.order, new Int32Array(capacity));
  heap.positions = enlarge(heap.positions, new Float64Array(capacity));
  heap.keys = enlarge(heap.keys, new Uint32Array(capacity * 4));
  heap.capacity = capacity;
}

/** Of two events of the same time, the one with the smaller key comes first, then the one with the smaller position. */
function slotBefore({ keys, positions }: WaitingSlots, a: number, b: number): boolean {
  for (let word = 0; word < 4; word++) {
    const x = keys[a * 4 + word] as number;
    const y = keys[b * 4 + word] as number;
    if (x !== y) return x < y;
  }
  return (positions[a] as number) < (positions[b] as number);
}

function rise(heap: Heap, from: number, ts: number, slot: number): void {
  const { times, order } = heap;
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 2;
    const above = times[parent] as number;
    if (ts > above || (ts === above && !slotBefore(heap, slot, order[parent] as number))) break;
    times[at] = above;
    order[at] = order[parent] as number;
    at = parent;
  }
  times[at] = ts;
  order[at] = slot;
}

/** Takes the first event out; its slot counts as free, and keeps what it holds until it is given again. */
function takeFirst(heap: Heap): number {
  const { times, order } = heap;
  const first = order[0] as number;
  const last = --heap.size;
  if (last > 0) sink(heap, times[last] as number, order[last] as number);
  order[last] = first;
  return first;
}

function sink(heap: Heap, ts: number, slot: number): void {
  const { times, order, size } = heap;
  let at = 0;
  for (let child = 1; child < size; child = at * arity + 1) {
    const end = Math.min(child + arity, size);
    let least = child;
    let below = times[child] as number;
    for (let other = child + 1; other < end; other++) {
      const time = times[other] as number;
      if (time > below || (time === below && !slotBefore(heap, order[other] as number, order[least] as number))) continue;
      least = other;
      below = time;
    }
    if (ts < below || (ts === below && slotBefore(heap, slot, order[least] as number))) break;
    times[at] = below;
    order[at] = order[least] as number;
    at = least;
  }
  times[at] = ts;
  order[at] = slot;
}
