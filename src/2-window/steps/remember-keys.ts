/**
 * Fingerprints (64 bits) of event keys seen, in two generations of fixed size: when the young one is full the old one is
 * dropped and takes its place. `covers` says whether a miss proves anything about an event of that time.
 */
export interface KeyMemory {
  remember(key: string, ts: number): void;
  /** True when the key was possibly seen. A hit must be decided by history. */
  mayHave(key: string): boolean;
  /** True when a miss proves that no event of that key and that time was seen. */
  covers(ts: number): boolean;
  /** True when a miss proves it whatever the time. */
  readonly complete: boolean;
  /** How many keys fit before the first are forgotten. */
  readonly keysMax: number;
  /** Called once the keys of all events newer than `from` have been remembered. */
  rebuilt(from: number): void;
}

interface Generation {
  high: Uint32Array;
  low: Uint32Array;
  count: number;
  newestTs: number;
}

/** Until `rebuilt` is called nothing is covered: after a start history decides for every event. */
const loadMax = 0.7;

export function createKeyMemory(bytesMax: number): KeyMemory {
  const slots = 2 ** Math.floor(Math.log2(bytesMax / 16));
  const make = (): Generation => ({ high: new Uint32Array(slots), low: new Uint32Array(slots), count: 0, newestTs: -Infinity });
  let young = make();
  let old: Generation | undefined;
  let coveredFrom = Infinity;
  let droppedTo = -Infinity;
  const rotate = (): void => {
    if (old) {
      droppedTo = Math.max(droppedTo, old.newestTs);
      coveredFrom = Math.max(coveredFrom, droppedTo);
    }
    const next = old ?? make();
    next.high.fill(0);
    next.low.fill(0);
    next.count = 0;
    next.newestTs = -Infinity;
    old = young;
    young = next;
  };
  return {
    remember(key, ts) {
      if (young.count > slots * loadMax) rotate();
      insert(young, key);
      if (ts > young.newestTs) young.newestTs = ts;
    },
    mayHave: (key) => contains(young, key) || (old !== undefined && contains(old, key)),
    covers: (ts) => ts > coveredFrom,
    get complete() {
      return coveredFrom === -Infinity;
    },
    keysMax: Math.floor(slots * loadMax) * 2,
    rebuilt(from) {
      coveredFrom = Math.max(from, droppedTo);
    },
  };
}

function slotOf(generation: Generation, high: number, low: number): number {
  const mask = generation.low.length - 1;
  let slot = low & mask;
  while ((generation.high[slot] !== 0 || generation.low[slot] !== 0) && (generation.high[slot] !== high || generation.low[slot] !== low)) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

const halves = (key: string): [number, number] => [parseInt(key.slice(0, 8), 16) || 1, parseInt(key.slice(8, 16), 16)];

function insert(generation: Generation, key: string): void {
  const [high, low] = halves(key);
  const slot = slotOf(generation, high, low);
  if (generation.high[slot] === 0 && generation.low[slot] === 0) generation.count++;
  generation.high[slot] = high;
  generation.low[slot] = low;
}

function contains(generation: Generation, key: string): boolean {
  const [high, low] = halves(key);
  return generation.high[slotOf(generation, high, low)] !== 0;
}
