import { createRandom, createZipf } from "./random.ts";
import * as rows from "./workload-rows.ts";

export interface WorkloadOptions {
  /** People who exist after the warm-up. */
  profiles: number;
  /** The same seed gives the same rows, but for the times handed in. Default 1. */
  seed?: number;
  /** Part of all event ids: two workloads sent to one server need two names. Default `w`. */
  run?: string;
}

/** Shares of the rows, each of all. What is left is tracking. */
export const shares = { duplicate: 0.01, late: 0.01, identify: 0.1, merge: 0.01, visitor: 0.01, purchase: 0.02 };

export interface Workload {
  readonly profiles: number;
  /** The row that makes person `index` (0 … profiles − 1) known: an identify with traits. `nowMs` is the sender's time. */
  warmUp(index: number, nowMs: number): string;
  /** The next row as JSON text, as a client sends it to `/api/cdp/events/batch`. */
  next(nowMs: number): string;
  /** The body of a batch of the next rows. */
  body(count: number, nowMs: number): string;
}

const zipfExponent = 1.1;
/** A row is sent again at most this many rows later: about a second. */
const repeatableMax = 20_000;
/** Visitors wait that long before they are recognised, so that most have a profile of their own by then: 200 are 20,000 rows. */
const visitorsWaitingMin = 200;
/** What a row is old by the time it is sent, and what makes it older than the window but not than the grace. */
const transitMsMax = 2_000;
const lateMs = { min: 6_000, max: 110_000 };
/** Prime to every number of profiles in use: the most active people are spread over all ids. */
const spread = 999_983;

/**
 * The workload of the benchmarks: people with two identifiers each (`userId`, `anonymousId`; some an e-mail), their activity
 * after Zipf 1.1, rows of about 600 bytes, 10 % identify with traits, 2 % purchases, 1 % merges, 1 % duplicates and 1 % late.
 * A merge names a person and a visitor who had come anonymously before and was not known to be that person. Merges spread
 * evenly over the people: one person with thousands of visitors would measure something else.
 */
export function createWorkload({ profiles, seed = 1, run = "w" }: WorkloadOptions): Workload {
  const random = createRandom(seed);
  const rankOf = createZipf(profiles, zipfExponent, random);
  const activePerson = (): number => (rankOf() * spread) % profiles;
  const anyPerson = (): number => Math.floor(random() * profiles);
  const recent: string[] = [];
  const visitors: string[] = [];
  let eventNumber = 0;
  let visitorNumber = 0;

  const newVisitor = (): string => `visitor-${run}-${++visitorNumber}`;
  const head = (nowMs: number, ageMs: number): rows.Head => ({ eventId: `${run}-${++eventNumber}`, ts: Math.floor(nowMs - ageMs), random });

  const kinds: [share: number, make: (nowMs: number, ageMs: number) => string][] = [
    [shares.late, (nowMs) => rows.track(activePerson(), head(nowMs, lateMs.min + random() * (lateMs.max - lateMs.min)))],
    [shares.identify, (nowMs, ageMs) => rows.identify(activePerson(), head(nowMs, ageMs))],
    [shares.merge, (nowMs, ageMs) => rows.recognised(anyPerson(), visitorToRecognise(), head(nowMs, ageMs))],
    [shares.visitor, (nowMs, ageMs) => rows.visit(comingVisitor(), head(nowMs, ageMs))],
    [shares.purchase, (nowMs, ageMs) => rows.purchase(activePerson(), head(nowMs, ageMs))],
  ];
  function comingVisitor(): string {
    const visitor = newVisitor();
    visitors.push(visitor);
    return visitor;
  }
  const visitorToRecognise = (): string => (visitors.length >= visitorsWaitingMin && visitors.shift()) || newVisitor();

  function make(nowMs: number): string {
    const ageMs = 20 + random() * transitMsMax;
    let left = random() * (1 - shares.duplicate);
    for (const [share, kind] of kinds) {
      left -= share;
      if (left < 0) return kind(nowMs, ageMs);
    }
    return rows.track(activePerson(), head(nowMs, ageMs));
  }

  function next(nowMs: number): string {
    if (recent.length > 0 && random() < shares.duplicate) return recent[Math.floor(random() * recent.length)] as string;
    const row = make(nowMs);
    recent[recent.length < repeatableMax ? recent.length : eventNumber % repeatableMax] = row;
    return row;
  }

  return {
    profiles,
    warmUp: (index, nowMs) => rows.identify(index, { eventId: `${run}-p${index}`, ts: Math.floor(nowMs - 20 - random() * transitMsMax), random }),
    next,
    body(count, nowMs) {
      let text = next(nowMs);
      for (let i = 1; i < count; i++) text += `,${next(nowMs)}`;
      return `{"events":[${text}]}`;
    },
  };
}
