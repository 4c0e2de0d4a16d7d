/** Calls back for every notice on a channel, and whenever some may have been missed; until the function it returns is called. */
export type Listen = (channel: string, onNotice: () => void) => () => Promise<void>;

const channel = "tributary_access";
/** A notice that is lost costs no more than this. */
const lookEveryMs = 30_000;

/** Syncs whenever another process has changed something. Changes that come while a sync waits are one more sync, not many. */
export function followState(listen: Listen, sync: (onBegin: () => void) => Promise<void>): () => Promise<void> {
  let waits = false;
  const look = (): void => {
    if (waits) return;
    waits = true;
    // While PostgreSQL is away what is known stays; the next connect looks again.
    sync(() => (waits = false)).catch(() => (waits = false));
  };
  const timer = setInterval(look, lookEveryMs);
  timer.unref();
  const stopListening = listen(channel, look);
  return async () => {
    clearInterval(timer);
    await stopListening();
  };
}
