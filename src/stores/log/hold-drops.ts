import type { EventLog } from "../../contracts/event-log.ts";

/** A log of which nothing is dropped while somebody holds it. */
export interface HoldableLog extends EventLog {
  /** Keeps what is in the log from now on, until the answer is called. */
  hold(): () => void;
}

/** What is not dropped now is dropped by a later call: they come all the time, each with a position above the one before. */
export function holdable(log: EventLog): HoldableLog {
  const holders = new Set<symbol>();
  return {
    ...log,
    async dropBelow(shard, position) {
      if (holders.size === 0) await log.dropBelow(shard, position);
    },
    hold() {
      const holder = Symbol("holder");
      holders.add(holder);
      return () => void holders.delete(holder);
    },
  };
}
