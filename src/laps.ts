import type { Stage } from "./contracts/tracing.ts";

export interface Laps {
  end(name: string): void;
  /** Whole milliseconds by name: `stateMs` for `state`. */
  ms(): Record<string, number>;
  stages(): Stage[];
}

/** Times the steps of a piece of work, by the name given at each end. */
export function startLaps(): Laps {
  const stages: Stage[] = [];
  let fromMs = performance.timeOrigin + performance.now();
  return {
    end(name) {
      const toMs = performance.timeOrigin + performance.now();
      stages.push({ name, fromMs, toMs });
      fromMs = toMs;
    },
    ms: () => Object.fromEntries(stages.map(({ name, fromMs, toMs }) => [`${name}Ms`, Math.round(toMs - fromMs)])),
    stages: () => stages,
  };
}
