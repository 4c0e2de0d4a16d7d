/** Records from `first` on, as they came. */
export interface Page {
  first: number;
  records: Buffer[];
}

/** The pages read last, within a bound: what was scanned is read again when it is due, mostly seconds later. */
export interface PageCache {
  /** The page that holds the position. */
  find(shard: number, position: number): Page | undefined;
  /** Takes the page, or adds its records to the one that it continues. */
  add(shard: number, page: Page): void;
}

export interface PageCacheLimits {
  bytesMax: number;
  /** A page that has grown to this size is not added to. */
  pageBytesMax: number;
  pagesMax: number;
}

interface Cached {
  shard: number;
  page: Page;
  bytes: number;
}

const recordOverheadBytes = 100;
const bytesOf = (records: readonly Buffer[]): number => records.reduce((sum, record) => sum + record.length + recordOverheadBytes, 0);
const endOf = ({ first, records }: Page): number => first + records.length;

/** Pages are few and large, so that going through all of them costs less than an index would. */
export function createPageCache({ bytesMax, pageBytesMax, pagesMax }: PageCacheLimits): PageCache {
  /** The one used last comes last. */
  const cached: Cached[] = [];
  let bytes = 0;

  /** Adds to the list that a reader may hold: what it took of it stays where it is. */
  const grow = (one: Cached, records: readonly Buffer[]): void => {
    const more = bytesOf(records);
    for (const record of records) one.page.records.push(record);
    one.bytes += more;
    bytes += more;
  };
  const used = (at: number): Cached => {
    const [one] = cached.splice(at, 1) as [Cached];
    cached.push(one);
    return one;
  };

  return {
    find(shard, position) {
      const at = cached.findLastIndex((one) => one.shard === shard && position >= one.page.first && position < endOf(one.page));
      return at < 0 ? undefined : used(at).page;
    },
    add(shard, page) {
      const at = cached.findLastIndex((one) =>
        one.shard === shard && one.bytes < pageBytesMax && endOf(one.page) >= page.first && endOf(one.page) < endOf(page) && one.page.first <= page.first);
      if (at >= 0) {
        const continued = used(at);
        grow(continued, page.records.slice(endOf(continued.page) - page.first));
      } else {
        const fresh = { shard, page: { first: page.first, records: [] }, bytes: 0 };
        cached.push(fresh);
        grow(fresh, page.records);
      }
      while ((bytes > bytesMax || cached.length > pagesMax) && cached.length > 1) bytes -= cached.shift()?.bytes ?? 0;
    },
  };
}
