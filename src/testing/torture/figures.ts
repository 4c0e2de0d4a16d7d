/** What an attack, or a whole run, counted and timed. */
export interface Figures {
  add(name: string, count?: number): void;
  /** Keeps the largest. */
  most(name: string, value: number): void;
  time(name: string, ms: number): void;
  lines(): string[];
  counts: Map<string, number>;
}

export function createFigures(): Figures {
  const counts = new Map<string, number>();
  const times = new Map<string, number[]>();
  return {
    counts,
    add: (name, count = 1) => void counts.set(name, (counts.get(name) ?? 0) + count),
    most: (name, value) => void counts.set(name, Math.max(counts.get(name) ?? 0, value)),
    time: (name, ms) => void times.set(name, [...(times.get(name) ?? []), ms]),
    lines: () => [
      ...[...counts].map(([name, count]) => `${name}: ${count.toLocaleString("en")}`),
      ...[...times].map(([name, list]) => `${name}: ${list.length} times, ${seconds(median(list))} s in the middle, ${seconds(Math.max(...list))} s at most`),
    ],
  };
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
const median = (list: readonly number[]): number => [...list].sort((x, y) => x - y)[list.length >> 1] ?? 0;
