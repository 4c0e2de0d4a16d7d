import type { PublicIds } from "../../src/core/public-id.ts";
import type { History } from "../../src/stores/clickhouse/history.ts";
import { eventNames, identityOf, kinds, names, spanMs, startMs, tenant, valueOf, type Crowd } from "./crowd.ts";
import { summary, type Seen } from "./load.ts";

/** One kind of read of the API. */
export interface Read {
  name: string;
  /** `row`: one indexed row by a bare route; else the name of a bare query. */
  floor: string;
  path(i: number, before: string): string;
}

/** Someone else each time, far apart, so that no page is warm because of the one before. */
const personOf = (crowd: Crowd, i: number): number => (i * 7919) % crowd.persons;

export function profileReads(crowd: Crowd, publicIds: PublicIds): Read[] {
  const idOf = (n: number): string => publicIds.encode("profile", tenant, identityOf(n, "external_id"));
  return [
    { name: "profile by id", floor: "row", path: (i) => `/api/cdp/profiles/${idOf(personOf(crowd, i))}` },
    ...kinds.map((kind): Read => ({
      name: `profile by ${kind}`,
      floor: "row",
      path: (i) => {
        const n = personOf(crowd, i);
        return `/api/cdp/profiles/lookup?type=${kind}&value=${encodeURIComponent(valueOf(kind, n - (n % names[kind].everyNth)))}`;
      },
    })),
  ];
}

const dayMs = 86_400_000;
const day = (i: number): string => new Date(startMs + ((i * 37) % Math.floor(spanMs / dayMs)) * dayMs).toISOString().slice(0, 10);
const nameAt = (i: number): string => eventNames[i % eventNames.length] as string;

/** Follows the list; begins again where it ends. */
const following = (path: string) => (_: number, before: string): string => {
  const cursor = /"nextCursor":"([^"]+)"/.exec(before.slice(-200))?.[1];
  return cursor === undefined ? path : `${path}&cursor=${encodeURIComponent(cursor)}`;
};

export function eventReads(crowd: Crowd, publicIds: PublicIds): Read[] {
  const idOf = (n: number): string => publicIds.encode("profile", tenant, identityOf(n, "external_id"));
  return [
    { name: "timeline of a profile", floor: "of a profile", path: (i) => `/api/cdp/profiles/${idOf(personOf(crowd, i))}/timeline` },
    { name: "timeline, long, page by page", floor: "of a long profile", path: following(`/api/cdp/profiles/${idOf(0)}/timeline?limit=100`) },
    { name: "events of a profile by query", floor: "of a profile", path: (i) => `/api/cdp/events?profileId=${idOf(personOf(crowd, i))}` },
    { name: "events, newest first", floor: "newest", path: () => "/api/cdp/events?limit=100" },
    { name: "events by name on a day", floor: "by name on a day", path: (i) => `/api/cdp/events?type=${nameAt(i)}&startDate=${day(i)}&endDate=${day(i)}` },
    { name: "events, page by page", floor: "newest", path: following("/api/cdp/events?limit=100") },
  ];
}

/** What each list comes down to when nothing but the query is done, all columns of the answer included. */
function bareQueries(crowd: Crowd): Record<string, (i: number) => [text: string, params: Record<string, unknown>]> {
  const select = "select * from events where tenant = 1";
  const newest = "order by ts desc, event_key desc limit 100";
  const ofOne = `${select} and identity = {id:UInt64} ${newest}`;
  return {
    "of a profile": (i) => [ofOne, { id: identityOf(personOf(crowd, i), "external_id") }],
    "of a long profile": () => [ofOne, { id: identityOf(0, "external_id") }],
    newest: () => [`${select} ${newest}`, {}],
    "by name on a day": (i) => {
      const from = Date.parse(day(i));
      const bounds = "name = {name:String} and ts >= fromUnixTimestamp64Milli({from:Int64}) and ts < fromUnixTimestamp64Milli({to:Int64})";
      return [`${select} and ${bounds} ${newest}`, { name: nameAt(i), from, to: from + dayMs }];
    },
  };
}

export async function measureBareQueries(history: History, crowd: Crowd, readers: number, forMs: number): Promise<Map<string, Seen>> {
  const seen = new Map<string, Seen>();
  for (const [name, make] of Object.entries(bareQueries(crowd))) {
    const times: number[] = [];
    const began = performance.now();
    let number = 0;
    await Promise.all(Array.from({ length: readers }, async () => {
      while (performance.now() - began < forMs) {
        const sent = performance.now();
        await history.query(...make(number++));
        times.push(performance.now() - sent);
      }
    }));
    seen.set(name, summary(times, 0, performance.now() - began));
  }
  return seen;
}
