import { LRUCache } from "lru-cache";
import { placeOf } from "./order-links.ts";
import { type CandidateLink, pairOf } from "./tenant-link.ts";

/** Pairs that are surely on record, each with a place at or after the recorded one: repeating them changes nothing. */
export interface KnownLinks {
  /** One link per pair, the earliest, without those that cannot change anything. */
  unseen(links: readonly CandidateLink[]): CandidateLink[];
  /** Remembers links once the transaction that records them is known to be committed. */
  learn(links: readonly CandidateLink[]): void;
  settle(committed: boolean): void;
}

export function createKnownLinks(pairsMax: number): KnownLinks {
  const known = new LRUCache<string, string>({ max: pairsMax });
  const pending = new Map<string, string>();
  return {
    unseen(links) {
      const earliest = new Map<string, CandidateLink & { place: string }>();
      for (const link of links) {
        const [pair, place] = [pairOf(link), placeOf(link)];
        const seen = earliest.get(pair)?.place ?? known.get(pair);
        if (link.a !== link.b && (seen === undefined || place < seen)) earliest.set(pair, { ...link, place });
      }
      return [...earliest.values()];
    },
    learn(links) {
      for (const link of links) pending.set(pairOf(link), placeOf(link));
    },
    settle(committed) {
      if (committed) for (const [pair, place] of pending) known.set(pair, place);
      pending.clear();
    },
  };
}
