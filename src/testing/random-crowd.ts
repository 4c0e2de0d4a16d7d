import { hash } from "node:crypto";
import fc from "fast-check";
import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { TenantSettings } from "../contracts/directory.ts";
import { defaultTenantSettings } from "../core/tenant-defaults.ts";
import { t0 } from "./events.ts";
import type { Accepted } from "./reference-components.ts";

// Many people over a month, most of whom are themselves most of the time: for the pure cores, where thousands of events are cheap.

export const crowdSettings: TenantSettings = {
  ...defaultTenantSettings,
  rates: { EUR: [{ fromMs: 0, rate: "1.1" }, { fromMs: t0 + 10 * 86_400_000, rate: "1.25" }] },
  identifierKinds: defaultTenantSettings.identifierKinds.map((kind) => ({ ...kind, partnersMax: kind.kind === "device_id" ? 2 : kind.partnersMax })),
};

const month = 30 * 86_400_000;
const kinds = ["external_id", "email", "phone", "device_id", "anonymous_id", "anonymous_id"] as const;

interface Step {
  who: number;
  /** Which of the person's identifiers the event names. */
  named: number[];
  /** Every 16th event names somebody else's identifier too. */
  stray: number;
  ts: number;
  what: number;
}
const step = (people: number): fc.Arbitrary<Step> => fc.record({
  who: fc.nat({ max: people - 1 }),
  named: fc.uniqueArray(fc.nat({ max: kinds.length - 1 }), { minLength: 1, maxLength: 3 }),
  stray: fc.nat({ max: 15 }),
  // Half of all happens within two days, so that sessions are runs of several events.
  ts: fc.oneof(fc.nat({ max: month }), fc.nat({ max: 2 * 86_400_000 })),
  what: fc.nat({ max: 9999 }),
});

const identifier = (who: number, kind: number) => ({ entity: "person" as const, kind: kinds[kind] ?? "", value: `${kind}-${who}` });

function toEvent({ who, named, stray, ts, what }: Step, i: number, people: number): CanonicalEvent {
  const identifiers = named.map((kind) => identifier(who, kind));
  if (stray === 0) identifiers.push(identifier((who + 1 + (what % 5)) % people, what % kinds.length));
  const order = what % 2 === 0 ? { orderId: `o${what % 40}` } : {};
  const role = ([undefined, undefined, "purchase", "purchase", "refund"] as const)[what % 5];
  return {
    tenantId: 0, sourceId: 2, eventId: `e${i}`, kind: "track", name: role ?? "Viewed", ts: t0 + ts, receivedAt: t0 + ts + (what % 100),
    late: false, identifiers, warnings: [],
    ...(what % 3 === 0 && { sessionId: `s${what % 4}` }),
    ...(what % 7 === 0 && { traits: { [`trait${what % 3}`]: what % 4 === 0 ? null : what } }),
    ...(role && { money: { role, micros: String(what * 1_001), currency: what % 11 === 0 ? "EUR" : "USD", ...order } }),
  };
}

const crowdOf = (events: number, people: number): fc.Arbitrary<Accepted[]> =>
  fc.array(step(people), { minLength: events, maxLength: events, size: "max" }).map((steps) => steps.map((one, i) => {
    const event = toEvent(one, i, people);
    return { event, key: hash("sha256", event.eventId).slice(0, 32) };
  }));

export interface Crowd {
  /** A crowd is too large to be shrunk or printed: this number stands for it. */
  seed: number;
  /** `events` events of one tenant with crowdSettings, in no order. */
  accepted(events: number, people: number): Accepted[];
}

export const randomCrowd: fc.Arbitrary<Crowd> = fc.noShrink(fc.integer()).map((seed) => ({
  seed,
  accepted: (events, people) => fc.sample(crowdOf(events, people), { seed, numRuns: 1 })[0] ?? [],
}));
