import type { IdentityId } from "../../contracts/identity.ts";
import { keyWord } from "../../core/event-key.ts";
import { type CandidateLink, pairOf } from "./tenant-link.ts";
import { createTwoGenerations } from "../../core/two-generations.ts";

/** Pairs that are surely on record, each with a place at or after the recorded one: repeating them changes nothing. */
export interface KnownLinks {
  /** Whether a link of an event surely changes nothing, whichever way its ends are given. */
  isKnown(link: { tenantId: number; a: IdentityId; b: IdentityId; manual: boolean; ts: number; key: string }): boolean;
  /** One link per pair, the earliest, without those that surely cannot change anything. */
  unseen(links: readonly CandidateLink[]): CandidateLink[];
  /** Remembers links once the transaction that records them is known to be committed. */
  learn(links: readonly CandidateLink[]): void;
  settle(committed: boolean): void;
}

/** Numbers are kept as the bits of a float: exact, and two words each. */
const keyLayout = { manual: 0, tenantId: 1, ends: 2, words: 6 } as const;
const placeLayout = { ts: 0, prefix: 2, words: 4 } as const;

/** At most `pairsMax` pairs, 53 bytes each; surely those met among the latest half of that. */
export function createKnownLinks(pairsMax: number): KnownLinks {
  const known = createTwoGenerations(pairsMax, keyLayout.words, placeLayout.words);
  const pair = new Uint32Array(keyLayout.words);
  const ends = new Float64Array(pair.buffer, keyLayout.ends * 4, 2);
  const place = new Uint32Array(placeLayout.words);
  const ts = new Float64Array(place.buffer, placeLayout.ts * 4, 1);
  let pending: CandidateLink[] = [];

  function point({ manual, tenantId, a, b }: Parameters<KnownLinks["isKnown"]>[0]): void {
    pair[keyLayout.manual] = manual ? 2 : 1;
    pair[keyLayout.tenantId] = tenantId;
    ends[0] = Math.min(a, b);
    ends[1] = Math.max(a, b);
  }
  /** The first 64 bits of event keys tell all but never two events apart; where they do not, the link is taken for new. */
  function isKnown(link: Parameters<KnownLinks["isKnown"]>[0]): boolean {
    point(link);
    if (!known.get(pair, place)) return false;
    if (ts[0] !== link.ts) return (ts[0] as number) < link.ts;
    const [high, low] = [keyWord(link.key, 0), keyWord(link.key, 1)];
    const knownHigh = place[placeLayout.prefix] as number;
    return knownHigh !== high ? knownHigh < high : (place[placeLayout.prefix + 1] as number) < low;
  }
  function remember(link: CandidateLink): void {
    point(link);
    ts[0] = link.ts;
    place[placeLayout.prefix] = keyWord(link.key, 0);
    place[placeLayout.prefix + 1] = keyWord(link.key, 1);
    known.set(pair, place);
  }

  return {
    isKnown,
    unseen(links) {
      const earliest = new Map<string, CandidateLink>();
      for (const link of links) {
        if (link.a === link.b || isKnown(link)) continue;
        const name = pairOf(link);
        const seen = earliest.get(name);
        if (seen === undefined || isEarlier(link, seen)) earliest.set(name, link);
      }
      return [...earliest.values()];
    },
    learn(links) {
      pending = pending.concat(links);
    },
    settle(committed) {
      if (committed) for (const link of pending) remember(link);
      pending = [];
    },
  };
}

function isEarlier(x: CandidateLink, y: CandidateLink): boolean {
  if (x.ts !== y.ts) return x.ts < y.ts;
  return x.key !== y.key ? x.key < y.key : x.ord < y.ord;
}
