import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FoldEvent } from "../contracts/fold-event.ts";
import { convert } from "../core/money.ts";
import { compact, foldEvent, mergeStates, totalSessions } from "./fold.ts";
import { packAggregates, unpackAggregates } from "./pack.ts";
import { emptyState, stateLimits, type FoldSettings, type ProfileState, type StateLimits } from "./state.ts";
import { liveAttributes } from "./traits.ts";

// Whatever the order, batching, grouping and forgetting: a state says what the slow reference says, or that it cannot tell.

const settings: FoldSettings = {
  currency: "USD",
  rates: { EUR: [{ fromMs: 43 * 3_600_000, rate: "1.25" }, { fromMs: 0, rate: "1.1" }], JPY: [{ fromMs: 31 * 3_600_000, rate: "0.0067" }] },
  countOrderOnce: true,
};
const minute = 60_000;
const hour = 60 * minute;
/** Bounds so narrow that every one is hit. */
const narrow: StateLimits = { orders: 2, runs: 2, openRuns: 3, identities: 2, traits: 1000 };

// ---- the reference: everything recomputed from the list of events

const earlier = (a: FoldEvent, b: FoldEvent): number => a.ts - b.ts || (a.key < b.key ? -1 : 1);

function reference(events: FoldEvent[]) {
  const purchases = countedPurchases(events);
  const refunds = events.filter(({ money }) => money?.role === "refund");
  const amounts = [...purchases.map((e) => amountOf(e, 1n)), ...refunds.map((e) => amountOf(e, -1n))];
  const byCurrency: Record<string, bigint> = {};
  for (const { currency, micros } of amounts) byCurrency[currency] = (byCurrency[currency] ?? 0n) + micros;
  return {
    totalEvents: events.length,
    firstSeen: Math.min(...events.map((e) => e.ts)),
    lastSeen: Math.max(...events.map((e) => e.ts)),
    createdAt: Math.min(...events.map((e) => e.receivedAt)),
    updatedAt: Math.max(...events.map((e) => e.receivedAt)),
    purchases: purchases.length,
    lastPurchase: Math.max(...events.filter(({ money }) => money?.role === "purchase").map((e) => e.ts)),
    revenue: amounts.reduce((sum, { inUsd }) => sum + (inUsd ?? 0n), 0n),
    unconverted: amounts.filter(({ inUsd }) => inUsd === undefined).length,
    revenueByCurrency: Object.fromEntries(Object.entries(byCurrency).filter(([, micros]) => micros !== 0n)),
    totalSessions: sessionsOf(events),
    attributes: attributesOf(events),
  };
}

function countedPurchases(events: FoldEvent[]): FoldEvent[] {
  const seen = new Set<string>();
  return events
    .filter(({ money }) => money?.role === "purchase")
    .sort(earlier)
    .filter(({ money, key }) => {
      const order = money?.orderId ?? `none ${key}`;
      return !seen.has(order) && seen.add(order);
    });
}

function amountOf({ money, ts }: FoldEvent, sign: bigint) {
  const currency = money?.currency ?? "";
  const micros = sign * BigInt(money?.micros ?? 0);
  const rate = settings.rates[currency]?.filter(({ fromMs }) => fromMs <= ts).sort((a, b) => b.fromMs - a.fromMs)[0]?.rate;
  return { currency, micros, inUsd: currency === "USD" ? micros : rate === undefined ? undefined : convert(micros, rate) };
}

function sessionsOf(events: FoldEvent[]): number {
  const classes = Object.values(Object.groupBy(events, ({ anchor, sessionId }) => `${anchor} ${sessionId ?? ""}`)) as FoldEvent[][];
  let sessions = 0;
  for (const members of classes) {
    const gap = members[0]?.sessionId ? 24 * hour : 30 * minute;
    const times = members.map((e) => e.ts).sort((a, b) => a - b);
    sessions += times.filter((time, i) => i === 0 || time - (times[i - 1] as number) >= gap).length;
  }
  return sessions;
}

function attributesOf(events: FoldEvent[]) {
  const last: Record<string, unknown> = {};
  for (const { traits } of [...events].sort(earlier)) Object.assign(last, traits);
  return { ...Object.fromEntries(Object.entries(last).filter(([, value]) => value !== null)), tags: [], customFields: {} };
}

const answers = (state: ProfileState) => ({
  totalEvents: state.totalEvents,
  firstSeen: state.firstSeen,
  lastSeen: state.lastSeen,
  createdAt: state.createdAt,
  updatedAt: state.updatedAt,
  purchases: state.purchases,
  lastPurchase: state.lastPurchase,
  revenue: state.revenue,
  unconverted: state.unconverted,
  revenueByCurrency: Object.fromEntries(state.revenueByCurrency),
  totalSessions: totalSessions(state),
  attributes: liveAttributes(state.traits),
});

// ---- events: few ids and clustered times, so that everything collides

/** An event before its key is written as 32 hex digits. */
type DrawnEvent = Omit<FoldEvent, "key"> & { key: number };
const someTime = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((n) => n * 10 * minute),
  fc.integer({ min: 0, max: 20 }).map((n) => n * 6 * hour),
  fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -1, max: 1 })).map(([n, off]) => 24 * hour + n * 30 * minute + off),
  fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -1, max: 1 })).map(([n, off]) => n * 24 * hour + hour + off),
);
const someMoney = fc.record(
  {
    role: fc.constantFrom("purchase" as const, "purchase" as const, "refund" as const),
    micros: fc.integer({ min: 0, max: 9 }).map((n) => String(n * 1_234_567)),
    currency: fc.constantFrom("USD", "EUR", "JPY", "CHF"),
    orderId: fc.constantFrom("o1", "o2", "o3", "o4", "o5"),
  },
  { requiredKeys: ["role", "micros", "currency"] },
);
const someTraits = fc.dictionary(fc.constantFrom("plan", "city"), fc.constantFrom(null, "a", "b", 3), { noNullPrototype: true, minKeys: 1 });
const someEvent = fc.record(
  {
    tenantId: fc.constant(1),
    anchor: fc.constantFrom(3, 3, 3, 5, 8, 9),
    kind: fc.constant("track" as const),
    ts: someTime.map((t) => t + 25 * hour),
    receivedAt: someTime,
    key: fc.integer({ min: 0, max: 2 ** 31 }),
    sessionId: fc.constantFrom("s1", "s2", "s3"),
    traits: someTraits,
    money: someMoney,
  },
  { requiredKeys: ["tenantId", "anchor", "kind", "ts", "receivedAt", "key"] },
);
/** One identity, sessions only: the runs that are hardest to tell apart. */
const sessionEvent = fc.record(
  {
    tenantId: fc.constant(1),
    anchor: fc.constant(3),
    kind: fc.constant("track" as const),
    ts: fc.oneof(fc.integer({ min: 0, max: 24 }).map((n) => n * 15 * minute), fc.integer({ min: 0, max: 12 }).map((n) => n * 12 * hour)),
    receivedAt: fc.constant(0),
    key: fc.integer({ min: 0, max: 2 ** 31 }),
    sessionId: fc.constantFrom("s1", "s2"),
  },
  { requiredKeys: ["tenantId", "anchor", "kind", "ts", "receivedAt", "key"] },
);
/** Purchases only, of few orders. */
const purchaseEvent = fc.record({
  tenantId: fc.constant(1),
  anchor: fc.constant(3),
  kind: fc.constant("track" as const),
  ts: fc.integer({ min: 0, max: 30 }).map((n) => n * minute),
  receivedAt: fc.constant(0),
  key: fc.integer({ min: 0, max: 2 ** 31 }),
  money: fc.record({ role: fc.constant("purchase" as const), micros: fc.nat({ max: 9 }).map(String), currency: fc.constant("USD"), orderId: fc.constantFrom("o1", "o2", "o3", "o4") }),
});
const withKeys = (drawn: DrawnEvent[]): FoldEvent[] => drawn.map((event) => ({ ...event, key: event.key.toString(16).padStart(32, "0") }));
const eventsUpTo = (maxLength: number, event: fc.Arbitrary<DrawnEvent> = someEvent): fc.Arbitrary<FoldEvent[]> =>
  fc.uniqueArray(event, { minLength: 1, maxLength, selector: (e) => e.key, size: "max" }).map(withKeys);

// ---- ways to fold: a random tree whose leaves are batches

/** Numbers that decide where to cut, what to compact and what to pack; drawn once, used in turn. */
const someChoices = fc.array(fc.nat({ max: 1000 }), { minLength: 60, maxLength: 60 });

function foldInTree(events: FoldEvent[], choices: number[], limits: StateLimits): ProfileState {
  let drawn = 0;
  const choose = (below: number): number => (choices[drawn++ % choices.length] ?? 0) % below;
  const build = (part: FoldEvent[]): ProfileState => {
    let state = emptyState();
    if (part.length < 2 || choose(3) === 0) {
      for (const event of part) {
        foldEvent(state, event, settings);
        if (choose(4) === 0) compact(state, limits);
      }
    } else {
      const cut = 1 + choose(part.length - 1);
      state = build(part.slice(0, cut));
      mergeStates(state, build(part.slice(cut)), settings);
    }
    if (choose(3) > 0) compact(state, limits);
    return state.cannotTell || choose(2) === 0 ? state : repacked(state);
  };
  return build(events);
}

function repacked(state: ProfileState): ProfileState {
  const { totalEvents, firstSeen, lastSeen, createdAt, updatedAt, purchases, revenue, traits } = state;
  const read: ProfileState = { ...emptyState(), totalEvents, firstSeen, lastSeen, createdAt, updatedAt, purchases, revenue, traits };
  unpackAggregates(packAggregates(state), read);
  return read;
}

function folded(events: FoldEvent[], limits?: StateLimits): ProfileState {
  const state = emptyState();
  for (const event of events) foldEvent(state, event, settings);
  if (limits) compact(state, limits);
  return state;
}

const shuffled = (events: FoldEvent[]) => fc.shuffledSubarray(events, { minLength: events.length });
const inAnyOrder = (events: fc.Arbitrary<FoldEvent[]>) => events.chain((e) => fc.tuple(fc.constant(e), shuffled(e), someChoices));

describe("a state equals the reference, or says that it cannot tell", () => {
  test("folded at once, a full history can always be told", () => {
    fc.assert(
      fc.property(eventsUpTo(60), (events) => {
        const state = folded(events, narrow);
        expect(state.cannotTell).toBe(false);
        expect(answers(state)).toEqual(reference(events));
      }),
      { numRuns: 500 },
    );
  });

  test("in any order, batching and grouping, with the narrowest bounds", () => {
    let told = 0;
    let untold = 0;
    fc.assert(
      fc.property(inAnyOrder(fc.oneof(eventsUpTo(25), eventsUpTo(25, sessionEvent), eventsUpTo(15, purchaseEvent))), ([events, order, choices]) => {
        const state = foldInTree(order, choices, narrow);
        if (state.cannotTell) untold += 1;
        else expect(answers(state)).toEqual(reference(events));
        told += state.cannotTell ? 0 : 1;
      }),
      { numRuns: 6000 },
    );
    expect(told).toBeGreaterThan(500);
    expect(untold).toBeGreaterThan(500);
  });

  test("almost in order of time, where most can be told, with the narrowest bounds", () => {
    let told = 0;
    const nearly = fc.tuple(eventsUpTo(40), fc.array(fc.nat({ max: 6 * hour }), { minLength: 40, maxLength: 40 }), someChoices);
    fc.assert(
      fc.property(nearly, ([events, jitter, choices]) => {
        const order = events.map((event, i) => ({ event, at: event.ts + (jitter[i] ?? 0) })).sort((a, b) => a.at - b.at);
        const state = foldInTree(order.map(({ event }) => event), choices, narrow);
        if (state.cannotTell) return;
        told += 1;
        expect(answers(state)).toEqual(reference(events));
      }),
      { numRuns: 4000 },
    );
    expect(told).toBeGreaterThan(500);
  });

  test("an ordinary profile can be told in any order", () => {
    fc.assert(
      fc.property(inAnyOrder(eventsUpTo(40)), ([events, order, choices]) => {
        const state = foldInTree(order, choices, { ...stateLimits, runs: 40 });
        expect(state.cannotTell).toBe(false);
        expect(answers(state)).toEqual(reference(events));
      }),
      { numRuns: 1500 },
    );
  });
});

describe("merging", () => {
  const parts = eventsUpTo(24).chain((events) => fc.tuple(fc.constant(events), fc.nat({ max: events.length }), fc.nat({ max: events.length }), fc.boolean()));

  test("is commutative: both ways give the same answers and the same doubt", () => {
    fc.assert(
      fc.property(parts, ([events, cut, , narrowly]) => {
        const limits = narrowly ? narrow : stateLimits;
        const both = (first: FoldEvent[], second: FoldEvent[]) => {
          const state = folded(first, limits);
          mergeStates(state, folded(second, limits), settings);
          return state.cannotTell ? "cannot tell" : answers(state);
        };
        expect(both(events.slice(0, cut), events.slice(cut))).toEqual(both(events.slice(cut), events.slice(0, cut)));
      }),
      { numRuns: 1500 },
    );
  });

  test("is associative as long as nothing is forgotten", () => {
    fc.assert(
      fc.property(parts, ([events, i, j]) => {
        const [low, high] = [Math.min(i, j), Math.max(i, j)];
        const merged = (a: ProfileState, b: ProfileState) => (mergeStates(a, b, settings), a);
        const part = (n: number) => folded(events.slice(...([[0, low], [low, high], [high]] as const)[n as 0 | 1 | 2]));
        expect(answers(merged(merged(part(0), part(1)), part(2)))).toEqual(answers(merged(part(0), merged(part(1), part(2)))));
      }),
      { numRuns: 800 },
    );
  });

  test("leaves the absorbed state as it was, also when the other changes afterwards", () => {
    fc.assert(
      fc.property(parts, ([events, cut]) => {
        const absorbed = folded(events.slice(cut));
        const before = structuredClone(absorbed);
        const into = emptyState();
        mergeStates(into, absorbed, settings);
        for (const event of events.slice(0, cut)) foldEvent(into, event, settings);
        compact(into, narrow);
        expect(absorbed).toEqual(before);
      }),
    );
  });

  test("with an empty state changes nothing", () => {
    fc.assert(
      fc.property(eventsUpTo(24), (events) => {
        const state = folded(events, narrow);
        const before = structuredClone(state);
        mergeStates(state, emptyState(), settings);
        expect(state).toEqual(before);
      }),
    );
  });
});

describe("forgetting", () => {
  test("changes no answer, doubts nothing and keeps to the bounds", () => {
    fc.assert(
      fc.property(eventsUpTo(60), (events) => {
        const state = folded(events);
        const before = answers(state);
        compact(state, narrow);
        expect(answers(state)).toEqual(before);
        expect(state.cannotTell).toBe(false);
        expect(state.orders.kept.size).toBeLessThanOrEqual(narrow.orders);
        expect(state.sessions.kept.size).toBeLessThanOrEqual(narrow.identities);
        for (const { runs } of state.sessions.kept.values()) {
          expect(runs.get("")?.length ?? 0).toBeLessThanOrEqual(narrow.runs);
          expect([...runs].reduce((sum, [name, list]) => sum + (name === "" ? 0 : list.length), 0)).toBeLessThanOrEqual(narrow.openRuns);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("packing", () => {
  test("gives the state back, and equal states give equal bytes", () => {
    fc.assert(
      fc.property(inAnyOrder(eventsUpTo(40)), fc.boolean(), ([events, order], narrowly) => {
        const state = folded(events, narrowly ? narrow : stateLimits);
        expect(repacked(state)).toEqual(state);
        expect(packAggregates(folded(order)).equals(packAggregates(folded(events)))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
