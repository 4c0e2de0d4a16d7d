/** Numbers in [0, 1) that are the same for the same seed (mulberry32): a workload must be repeatable, not unpredictable. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Ranks 0 … n−1, rank k with a share in proportion to (k + 1)^−exponent. Alias tables (Vose): 12 bytes a rank, and a draw costs
 * the same whatever n is.
 */
export function createZipf(n: number, exponent: number, random: () => number): () => number {
  const weights = Float64Array.from({ length: n }, (_, rank) => (rank + 1) ** -exponent);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const keep = weights.map((weight) => (weight / sum) * n);
  const alias = new Uint32Array(n);
  const small: number[] = [];
  const large: number[] = [];
  keep.forEach((share, rank) => (share < 1 ? small : large).push(rank));
  while (small.length > 0 && large.length > 0) {
    const [poor, rich] = [small.pop() as number, large.pop() as number];
    alias[poor] = rich;
    keep[rich] = (keep[rich] as number) + (keep[poor] as number) - 1;
    ((keep[rich] as number) < 1 ? small : large).push(rich);
  }
  // What is left over differs from 1 by rounding alone.
  for (const rank of [...small, ...large]) keep[rank] = 1;
  return () => {
    const rank = Math.floor(random() * n);
    return random() < (keep[rank] as number) ? rank : (alias[rank] as number);
  };
}
