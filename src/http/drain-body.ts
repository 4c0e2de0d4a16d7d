import type { IncomingMessage } from "node:http";

const drainMsMax = 2000;

/**
 * Reads the rest of a body that is refused and throws it away, for two seconds at most: a client that is still writing when
 * the connection closes sees a broken pipe instead of the answer.
 */
export async function drainBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, drainMsMax);
  request.once("end", resolve).once("close", resolve).once("error", () => resolve());
  request.resume();
  await promise;
  clearTimeout(timer);
}
