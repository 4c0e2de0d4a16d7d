/**
 * Does `work` for each item, letting others run in between: an answer of a database, or a request, would otherwise wait until the
 * whole batch is through.
 */
export async function inSlices<T>(items: readonly T[], work: (item: T, at: number) => void, sliceMax = 400): Promise<void> {
  for (let from = 0; from < items.length; from += sliceMax) {
    // eslint-disable-next-line no-restricted-globals -- gives way, and waits for no time
    if (from > 0) await new Promise((resolve) => void setImmediate(resolve));
    const to = Math.min(items.length, from + sliceMax);
    for (let at = from; at < to; at++) work(items[at] as T, at);
  }
}
