import type { CanonicalEvent, Money } from "../contracts/canonical-event.ts";
import type { TenantSettings } from "../contracts/directory.ts";
import type { JsonValue } from "../contracts/json.ts";
import { type Accepted, namesOf, referenceComponents } from "./reference-components.ts";

// What Tributary's profiles mean, slow and obvious: everything is computed from the list of all that was ever accepted.

export interface ReferenceProfile {
  /** Names of the members, sorted; a profile is known by them. */
  identifiers: string[];
  /** Ids of its events, newest first. */
  eventIds: string[];
  totalEvents: number;
  totalSessions: number;
  totalPurchases: number;
  /** In micros of the tenant's currency, what has no rate left out. */
  revenue: bigint;
  revenueByCurrency: Record<string, bigint>;
  firstSeen: number;
  lastSeen: number;
  lastPurchase: number | undefined;
  createdAt: number;
  updatedAt: number;
  /** Live traits; each with the time that set it. */
  traits: Record<string, { value: JsonValue; ts: number }>;
  segments: string[];
}

/** The profiles of one tenant that have events, sorted. `log` has its accepted events in the order of acceptance. */
export function referenceProfiles(log: readonly Accepted[], settings: TenantSettings, pepper: Uint8Array): ReferenceProfile[] {
  const events = countedEvents(log);
  const labelOf = referenceComponents(events, settings, pepper);
  const anchored = events.map((one) => ({ ...one, anchor: namesOf(one.event, settings, pepper)[0] ?? "nobody" }));
  const profiles = [...new Set(labelOf.values())].map((label) => ({
    identifiers: [...labelOf.keys()].filter((name) => labelOf.get(name) === label).sort(),
    own: anchored.filter(({ anchor }) => labelOf.get(anchor) === label),
  }));
  return profiles
    .filter(({ own }) => own.length > 0)
    .map(({ identifiers, own }) => ({ identifiers, ...foldAll(own, settings) }))
    .sort((x, y) => (x.identifiers.join() < y.identifiers.join() ? -1 : 1));
}

/** What counts: of every key the first accepted, unless it was held; then the first replay. */
function countedEvents(log: readonly Accepted[]): Accepted[] {
  const counted = new Map<string, Accepted>();
  const held = new Set<string>();
  for (const one of log) {
    if (counted.has(one.key) || (held.has(one.key) && !one.event.replay)) continue;
    if (one.event.held) held.add(one.key);
    else counted.set(one.key, one);
  }
  return [...counted.values()];
}

type Anchored = Accepted & { anchor: string };

const inOrder = (x: Accepted, y: Accepted): number => x.event.ts - y.event.ts || (x.key < y.key ? -1 : 1);

function foldAll(own: Anchored[], settings: TenantSettings): Omit<ReferenceProfile, "identifiers"> {
  const events = [...own].sort(inOrder);
  const times = events.map(({ event }) => event.ts);
  const received = events.map(({ event }) => event.receivedAt);
  const purchaseTimes = events.filter(({ event }) => event.money?.role === "purchase").map(({ event }) => event.ts);
  const purchases = countedPurchases(events, settings);
  const traits = lastWrites(events);
  const amounts = [...purchases.map((event) => worth(event, 1n)), ...refunds(events).map((event) => worth(event, -1n))];
  return {
    eventIds: events.map(({ event }) => event.eventId).reverse(),
    totalEvents: events.length,
    totalSessions: countSessions(events),
    totalPurchases: purchases.length,
    revenue: amounts.reduce((sum, amount) => sum + (inTenantCurrency(amount, settings) ?? 0n), 0n),
    revenueByCurrency: sumByCurrency(amounts),
    firstSeen: Math.min(...times),
    lastSeen: Math.max(...times),
    lastPurchase: purchaseTimes.at(-1),
    createdAt: Math.min(...received),
    updatedAt: Math.max(...received),
    traits,
    segments: traits.plan?.value === "pro" ? ["pro_plan"] : [],
  };
}

const minuteMs = 60_000;

/** Per identity and sessionId: how often the silence before an event was too long for it to go on. */
function countSessions(events: readonly Anchored[]): number {
  const ends = new Map<string, number>();
  let sessions = 0;
  for (const { anchor, event } of events) {
    const run = `${anchor} in ${event.sessionId ?? "none"}`;
    const gap = event.sessionId === undefined ? 30 * minuteMs : 24 * 60 * minuteMs;
    if (event.ts - (ends.get(run) ?? -Infinity) >= gap) sessions += 1;
    ends.set(run, event.ts);
  }
  return sessions;
}

/** Events come in order, so the first with an order id is the one that counts. */
function countedPurchases(events: readonly Accepted[], settings: TenantSettings): CanonicalEvent[] {
  const orders = new Set<string>();
  return events.map(({ event }) => event).filter(({ money }) => {
    if (money?.role !== "purchase") return false;
    if (money.orderId === undefined || !settings.countOrderOnce) return true;
    const isFirst = !orders.has(money.orderId);
    orders.add(money.orderId);
    return isFirst;
  });
}

const refunds = (events: readonly Accepted[]): CanonicalEvent[] => events.map(({ event }) => event).filter(({ money }) => money?.role === "refund");

interface Amount {
  micros: bigint;
  currency: string;
  ts: number;
}

function worth({ money, ts }: CanonicalEvent, sign: bigint): Amount {
  const { micros, currency } = money as Money;
  return { micros: sign * BigInt(micros), currency, ts };
}

function sumByCurrency(amounts: readonly Amount[]): Record<string, bigint> {
  const sums: Record<string, bigint> = {};
  for (const { micros, currency } of amounts) sums[currency] = (sums[currency] ?? 0n) + micros;
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0n));
}

/** By the newest rate that was valid then, rounded half-even; undefined without one. */
function inTenantCurrency({ micros, currency, ts }: Amount, settings: TenantSettings): bigint | undefined {
  if (currency === settings.currency) return micros;
  const valid = (settings.rates[currency] ?? []).filter(({ fromMs }) => fromMs <= ts).sort((x, y) => y.fromMs - x.fromMs)[0];
  if (!valid) return undefined;
  const [whole = "", fraction = ""] = valid.rate.split(".");
  const scale = 10n ** BigInt(fraction.length);
  const product = (micros < 0n ? -micros : micros) * BigInt(whole + fraction);
  const [quotient, twice] = [product / scale, 2n * (product % scale)];
  const rounded = twice > scale || (twice === scale && quotient % 2n === 1n) ? quotient + 1n : quotient;
  return micros < 0n ? -rounded : rounded;
}

/** Events come in order, so a later write overwrites; null deletes. Every custom field is a trait of its own. */
function lastWrites(events: readonly Accepted[]): ReferenceProfile["traits"] {
  const traits = new Map<string, { value: JsonValue; ts: number }>();
  for (const { event } of events) {
    for (const [name, value] of Object.entries(event.traits ?? {})) {
      const isGroup = name === "customFields" && typeof value === "object" && value !== null && !Array.isArray(value);
      if (!isGroup) traits.set(name, { value, ts: event.ts });
      else for (const [field, inner] of Object.entries(value)) traits.set(`customFields.${field}`, { value: inner, ts: event.ts });
    }
  }
  return Object.fromEntries([...traits].filter(([, { value }]) => value !== null));
}
