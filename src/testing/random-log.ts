import fc from "fast-check";
import type { CanonicalEvent, EventKind, Identifier, Money } from "../contracts/canonical-event.ts";
import type { TenantSettings } from "../contracts/directory.ts";
import type { JsonObject, JsonValue } from "../contracts/json.ts";
import { defaultTenantSettings } from "../core/tenant-defaults.ts";
import { t0 } from "./events.ts";

// Random accepted events in which everything collides: few people, few moments, few ids, few orders.

/** Accepted events in the order of acceptance. `tenantId` counts from 0; a `profile` identifier carries a name (see nameOf). */
export interface RandomLog {
  settings: TenantSettings[];
  events: CanonicalEvent[];
}

const minute = 60_000;
const hour = 60 * minute;

const names = [
  "external_id:u1", "external_id:u2", "external_id:u3", "email:a@x.org", "email:b@x.org", "email:c@x.org", "email:d@x.org", "email:e@x.org",
  "phone:+4930111", "phone:+4930222", "device_id:d1", "device_id:d2", "device_id:d3",
  "anonymous_id:c1", "anonymous_id:c2", "anonymous_id:c3", "anonymous_id:c4", "loyalty:l1",
];
const toIdentifier = (name: string, entity: Identifier["entity"] = "person"): Identifier => {
  const colon = name.indexOf(":");
  return { entity, kind: name.slice(0, colon), value: name.slice(colon + 1) };
};
const person = fc.constantFrom(...names).map((name) => toIdentifier(name));
const account = fc.constantFrom("external_id:u1", "external_id:acme").map((name) => toIdentifier(name, "account"));
const profile = fc.constantFrom(...names).map((name): Identifier => ({ entity: "person", kind: "profile", value: `person ${name}` }));

const persons = (minLength: number, maxLength: number): fc.Arbitrary<Identifier[]> =>
  fc.uniqueArray(person, { minLength, maxLength, selector: ({ kind, value }) => `${kind}:${value}` });
const identifiers = fc.oneof(
  { weight: 12, arbitrary: persons(1, 3) },
  { weight: 2, arbitrary: fc.tuple(profile, persons(0, 2)).map(([first, rest]) => [first, ...rest]) },
  { weight: 1, arbitrary: fc.tuple(account, persons(0, 1)).map(([first, rest]) => [first, ...rest]) },
  { weight: 1, arbitrary: fc.constant<Identifier[]>([]) },
);

const ts = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.integer({ min: 0, max: 60 }).map((n) => n * 10 * minute),
  fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: -1, max: 1 })).map(([n, off]) => 24 * hour + n * 30 * minute + off),
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -1, max: 1 })).map(([n, off]) => n * 24 * hour + off),
).map((offset) => t0 + offset);

const money: fc.Arbitrary<Money> = fc.record(
  {
    role: fc.constantFrom("purchase" as const, "purchase" as const, "refund" as const),
    micros: fc.integer({ min: 0, max: 9 }).map((n) => String(n * 1_234_565)),
    currency: fc.constantFrom("USD", "USD", "EUR", "CHF"),
    orderId: fc.constantFrom("o1", "o2", "o3"),
  },
  { requiredKeys: ["role", "micros", "currency"] },
);

const traitValue = fc.constantFrom<JsonValue[]>(null, null, "a", "b", "Zoë", 3, 31.5, true, ["x"], { deep: { a: 1 } });
const plainly = { noNullPrototype: true };
const someNames = fc.constantFrom("plan", "city", "email", "name", "customFields.size", "constructor");
const traits: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.dictionary(someNames, traitValue, { ...plainly, minKeys: 1, maxKeys: 3 }),
  fc.record({ tags: fc.constantFrom<JsonValue[]>(null, ["x"], ["x", "y"]) }, plainly),
  fc.record({ plan: fc.constantFrom<JsonValue[]>(null, "pro", "pro", "free") }, plainly),
  fc.record({ customFields: fc.dictionary(fc.constantFrom("size", "color"), traitValue, { ...plainly, minKeys: 1 }) }, plainly),
);

/** Most wait in the window; imports and what a late policy holds back do not. */
type Way = "window" | "historical" | "held";
type Drawn = Omit<CanonicalEvent, "sourceId" | "eventId" | "late" | "warnings" | "name">;

/** Many people, or one with so many sessions that a profile forgets the oldest. */
interface Crowd {
  tenants: number;
  identifiers: fc.Arbitrary<Identifier[]>;
  ts: fc.Arbitrary<number>;
}
const [email, cookie] = [toIdentifier("email:a@x.org"), toIdentifier("anonymous_id:c1")];
const one: Crowd = {
  tenants: 1,
  identifiers: fc.constantFrom([email], [email], [cookie, email], [cookie]),
  ts: fc.integer({ min: 0, max: 90 }).map((n) => t0 + n * 40 * minute),
};
const many: fc.Arbitrary<Crowd> = fc.integer({ min: 1, max: 3 }).map((tenants) => ({ tenants, identifiers, ts }));
const someCrowd = fc.oneof({ weight: 4, arbitrary: many }, { weight: 1, arbitrary: fc.constant(one) });

const drawnEvent = (crowd: Crowd): fc.Arbitrary<Drawn> => fc.record(
  {
    tenantId: fc.nat({ max: crowd.tenants - 1 }),
    kind: fc.constantFrom<EventKind[]>("track", "track", "track", "identify", "page", "screen", "alias", "group"),
    ts: crowd.ts,
    receivedAt: fc.integer({ min: 0, max: 5 }).map((n) => t0 + n * hour),
    identifiers: crowd.identifiers,
    traits,
    money,
    session: fc.constantFrom("", "", "", "", "s1", "s2"),
    way: fc.constantFrom<Way[]>("window", "window", "window", "window", "window", "window", "window", "historical", "historical", "held"),
  },
  { requiredKeys: ["tenantId", "kind", "ts", "receivedAt", "identifiers", "session", "way"] },
).map(({ session, way, ...event }) => (
  { ...event, ...(session && { sessionId: session }), ...(way === "historical" && { historical: true }), ...(way === "held" && { held: "late" }) }));

/** Ids repeat between tenants and between the two sources of a tenant, and mean other events there. */
const numbered = (drawn: Drawn, i: number, tenants: number): CanonicalEvent => ({
  ...drawn, eventId: `e${Math.floor(i / (2 * tenants))}`, sourceId: 2 + (Math.floor(i / tenants) % 2), tenantId: (i + drawn.tenantId) % tenants,
  name: drawn.money?.role ?? "Viewed", late: drawn.held === "late", warnings: [],
});

interface Copy {
  of: number;
  /** Redelivered as it is, sent again, sent with other content, or replayed after it was held. */
  as: "same" | "again" | "other" | "replay";
  other: Drawn;
}
const copies = (crowd: Crowd): fc.Arbitrary<Copy[]> => fc.array(
  fc.record({ of: fc.nat({ max: 999 }), as: fc.constantFrom<Copy["as"][]>("same", "again", "other", "replay"), other: drawnEvent(crowd) }),
  { maxLength: 12, size: "max" },
);

function copyOf(event: CanonicalEvent, { as, other }: Copy): CanonicalEvent {
  const { tenantId, sourceId, eventId } = event;
  if (as === "again") return { ...event, receivedAt: event.receivedAt + 1000 };
  if (as === "other") return { ...event, ...other, tenantId, sourceId, eventId };
  return as === "replay" ? { ...event, replay: true } : event;
}

/** Only what was held is replayed, and after it was held: other replays are ordinary copies. */
function withTrueReplays(events: CanonicalEvent[]): CanonicalEvent[] {
  const first = new Map<string, CanonicalEvent>();
  return events.map(({ replay, ...event }) => {
    const id = `${event.tenantId} ${event.sourceId} ${event.eventId}`;
    const known = first.get(id);
    first.set(id, known ?? event);
    if (!replay || !known?.held) return event;
    const { held: _, ...released } = known;
    return { ...released, replay };
  });
}

const partnersMax = fc.record({
  email: fc.integer({ min: 1, max: 4 }),
  phone: fc.integer({ min: 1, max: 4 }),
  device_id: fc.integer({ min: 1, max: 5 }),
  anonymous_id: fc.integer({ min: 1, max: 5 }),
});
const settings: fc.Arbitrary<TenantSettings> = fc.tuple(partnersMax, fc.boolean()).map(([limits, countOrderOnce]) => ({
  ...defaultTenantSettings,
  countOrderOnce,
  rates: { EUR: [{ fromMs: 0, rate: "1.1" }, { fromMs: t0 + 20 * hour, rate: "1.25" }] },
  identifierKinds: defaultTenantSettings.identifierKinds.map((kind) => (
    { ...kind, partnersMax: limits[kind.kind as keyof typeof limits] ?? kind.partnersMax })),
}));

/** Half of the time nearly as many as there may be; what fails shrinks to few. */
function fewOrMany<T>(event: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> {
  const [few, many] = [1, (maxLength * 3) >> 2].map((minLength) => fc.array(event, { minLength, maxLength, size: "max" }));
  return fc.oneof({ withCrossShrink: true }, few as fc.Arbitrary<T[]>, many as fc.Arbitrary<T[]>);
}

/** Up to `eventsMax` events of up to three tenants, some of them more than once, in any order. */
export const randomLog = (eventsMax: number): fc.Arbitrary<RandomLog> => someCrowd.chain((crowd) =>
  fc.record({
    settings: fc.array(settings, { minLength: crowd.tenants, maxLength: crowd.tenants }),
    drawn: fewOrMany(drawnEvent(crowd), eventsMax),
    copies: copies(crowd),
    places: fc.array(fc.nat({ max: 99 }), { minLength: 8, maxLength: 60, size: "max" }),
  }).map((random) => {
    const originals = random.drawn.map((event, i) => numbered(event, i, crowd.tenants));
    const again = random.copies.map((copy) => copyOf(originals[copy.of % originals.length] as CanonicalEvent, copy));
    return { settings: random.settings, events: withTrueReplays(inOrderOf([...originals, ...again], random.places)) };
  }),
);

/** Sorted by places that are drawn once and used in turn: shrinking them restores the order as it is. */
export function inOrderOf<T>(list: readonly T[], places: readonly number[]): T[] {
  const placed = list.map((item, i) => ({ item, place: places[i % places.length] ?? 0 }));
  return placed.sort((x, y) => x.place - y.place).map(({ item }) => item);
}
