export interface Laps {
  end(name: string): void;
  ms(): Record<string, number>;
}

/** Times the steps of a piece of work, in whole milliseconds by the name given at each end. */
export function startLaps(): Laps {
  const times: Record<string, number> = {};
  let from = performance.now();
  return {
    end(name) {
      const now = performance.now();
      times[name] = Math.round(now - from);
      from = now;
    },
    ms: () => times,
  };
}
