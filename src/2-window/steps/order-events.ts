/** An event that waits: what orders it and where the log has it. */
export interface Waiting {
  ts: number;
  key: string;
  position: number;
}

/** What one entry costs in memory, with its place in the heap and in the index by key (measured: 150–170 bytes). */
const entryBytes = 170;

export interface OrderBuffer {
  add(entry: Waiting): void;
  /** Takes up to `max` entries at or below the watermark, in (ts, key) order; when full, the oldest beyond it too (`early`). */
  release(watermark: number, max: number): { entries: Waiting[]; early: number };
  /** The position at which an event of this key waits. */
  positionOf(key: string): number | undefined;
  readonly size: number;
  readonly full: boolean;
}

/** The reorder buffer: a binary heap by (ts, key). The smallest position of a key is the one that `positionOf` answers. */
export function createOrderBuffer(bytesMax: number): OrderBuffer {
  const entriesMax = Math.max(1, Math.floor(bytesMax / entryBytes));
  const heap: Waiting[] = [];
  const positions = new Map<string, number>();
  return {
    add(entry) {
      push(heap, entry);
      const known = positions.get(entry.key);
      if (known === undefined || entry.position < known) positions.set(entry.key, entry.position);
    },
    release(watermark, max) {
      const entries: Waiting[] = [];
      let early = 0;
      // A full buffer makes room for a quarter of itself, so that reading on does not release one at a time.
      const keepMax = heap.length >= entriesMax ? entriesMax * 0.75 : Infinity;
      while (entries.length < max && heap[0]) {
        if (heap[0].ts > watermark) {
          if (heap.length <= keepMax) break;
          early++;
        }
        const entry = pop(heap);
        if (positions.get(entry.key) === entry.position) positions.delete(entry.key);
        entries.push(entry);
      }
      return { entries, early };
    },
    positionOf: (key) => positions.get(key),
    get size() {
      return heap.length;
    },
    get full() {
      return heap.length >= entriesMax;
    },
  };
}

const before = (a: Waiting, b: Waiting): boolean =>
  a.ts !== b.ts ? a.ts < b.ts : a.key !== b.key ? a.key < b.key : a.position < b.position;

function push(heap: Waiting[], entry: Waiting): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Waiting;
    if (!before(entry, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Waiting[]): Waiting {
  const top = heap[0] as Waiting;
  const last = heap.pop() as Waiting;
  if (heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Waiting, heap[child] as Waiting)) child++;
    if (!before(heap[child] as Waiting, last)) break;
    heap[at] = heap[child] as Waiting;
    at = child;
  }
  heap[at] = last;
  return top;
}
