import type { FetchDeps } from "./fetch-page.ts";
import { createPageFetcher } from "./fetch-page.ts";
import type { Page, PageCache } from "./page-cache.ts";

export interface WalkDeps extends FetchDeps {
  pages: PageCache;
}

export const pageBytes = 4_000_000;

/** The pages of a partition, from the cache or the broker. */
export interface PageWalk {
  /** The page that holds `position`, or undefined at the head. */
  pageAt(position: number, bytesMax: number): Promise<Page | undefined>;
  /** Page after page up to the head: each with the first position to take of it, and the one after its last. */
  walk(from: number): AsyncGenerator<{ page: Page; position: number; end: number }>;
}

export function createPageWalk(deps: WalkDeps): PageWalk {
  const { topic, shard, places, pages } = deps;
  const fetchPage = createPageFetcher(deps);

  async function pageAt(position: number, bytesMax: number): Promise<Page | undefined> {
    const cached = pages.find(shard, position);
    if (cached !== undefined) return cached;
    const page = await fetchPage(position, bytesMax);
    if (page === undefined || page.first + page.records.length <= position) return undefined;
    pages.add(shard, page);
    return page;
  }

  /**
   * Zero stands for the oldest. From any other position on nothing may be missing: what the topic's retention took before it was
   * processed is lost, and to go on as if nothing had been there would hide that.
   */
  function begin(from: number): number {
    const { oldest } = places.of(shard);
    if (from === 0) return oldest;
    if (from >= oldest) return from;
    throw new Error(`${topic}-${shard} has no positions ${from} to ${oldest - 1} any more: its retention or somebody else removed them`);
  }

  async function* walk(from: number): AsyncGenerator<{ page: Page; position: number; end: number }> {
    let position = begin(from);
    for (;;) {
      const page = await pageAt(position, pageBytes);
      if (page === undefined) {
        // A position that was removed meanwhile looks like the head at first.
        const oldest = begin(from === 0 ? 0 : position);
        if (oldest <= position) return;
        position = oldest;
        continue;
      }
      // Taken before the page is handed out: the cache may add to it meanwhile.
      const end = page.first + page.records.length;
      yield { page, position, end };
      position = end;
    }
  }

  return { pageAt, walk };
}
