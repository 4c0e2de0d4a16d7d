/** One measured figure, beside the floor that was measured in the same run where it has one. */
export interface Figure {
  /** What was done, as a reader of docs/benchmarks.md knows it: `accept, batches of 200`. */
  name: string;
  value: number;
  /** `events/s`, `ms`, `MB`, … */
  unit: string;
  floor?: { name: string; value: number };
  /** What design and README promise, in words: `≥ 0.6 ×`. */
  goal?: string;
  /** Further numbers of the same measurement: percentiles, counts, CPU per event. */
  detail?: Record<string, number | string>;
}
