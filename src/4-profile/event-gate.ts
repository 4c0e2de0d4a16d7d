import { ApiError } from "../core/errors.ts";

export interface GateLimits {
  concurrencyMax: number;
  /** Callers that wait for their turn; one more is refused. */
  waitingMax: number;
  /** Whoever has waited this long is refused. */
  waitMsMax: number;
}

type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets so much work run at once and the rest wait, first come first served. What cannot wait is refused with `overloaded` (503). */
export function createGate({ concurrencyMax, waitingMax, waitMsMax }: GateLimits): Gate {
  const waiting = new Set<() => void>();
  let running = 0;

  function turn(): Promise<void> {
    if (waiting.size >= waitingMax) throw overloaded();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(proceed);
        reject(overloaded());
      }, waitMsMax);
      const proceed = (): void => {
        clearTimeout(timer);
        resolve();
      };
      waiting.add(proceed);
    });
  }

  /** A turn is handed on, so that nobody who comes in between takes it. */
  function leave(): void {
    const [next] = waiting;
    if (!next) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return async function passThrough(work) {
    if (running < concurrencyMax) running += 1;
    else await turn();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}

const overloaded = (): ApiError => new ApiError("overloaded", "more is asked for at once than can be read; ask again");
