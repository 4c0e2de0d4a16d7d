/** Positions that one fetch is to bring. */
export interface FetchPlan {
  first: number;
  /** About how many bytes lie between the first and the last of them. */
  bytesMax: number;
  /** Ascending, each once. */
  wanted: number[];
}

/** A record in between costs less than another request up to about here. */
const gapBytesMax = 200_000;
const bytesMin = 16_000;
/** Records are not all as large as they are on average. */
const reserve = 1.2;

/** Groups positions into fetches: those that lie close together come in one, a lonely one does not bring a whole page along. */
export function planFetches(positions: readonly number[], recordBytes: number, pageBytes: number): FetchPlan[] {
  const plans: FetchPlan[] = [];
  let current: FetchPlan | undefined;
  let last = -Infinity;
  for (const position of [...new Set(positions)].sort((a, b) => a - b)) {
    if (current === undefined || (position - last) * recordBytes > gapBytesMax) {
      current = { first: position, bytesMax: bytesMin, wanted: [] };
      plans.push(current);
    }
    current.wanted.push(position);
    current.bytesMax = Math.ceil(Math.min(pageBytes, Math.max(bytesMin, (position - current.first + 1) * recordBytes * reserve)));
    last = position;
  }
  return plans;
}
