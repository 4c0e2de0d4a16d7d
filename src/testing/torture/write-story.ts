import type { JsonObject } from "../../contracts/json.ts";
import { type Door, type Draft, isStreamable } from "./draft.ts";
import type { Random } from "./random.ts";

/** What a tenant's events are drawn from: few people and few moments, so that everything collides. */
export interface Story {
  /** Whose events: noted in every one. */
  of: string;
  people: number;
  /** How old an event may be, in milliseconds. */
  ageMsMax: number;
  doors: readonly Door[];
}

export interface Writer {
  /** Customers whom some of the events name by their profile's id. */
  known: NonNullable<Draft["profile"]>[];
  /** Events of new ids, none older than the story's age at `now`. */
  write(count: number, now: number): Draft[];
  /** Another event under the same id. */
  rewrite(draft: Draft, now: number): Draft;
}

const hourMs = 3_600_000;

/**
 * Identifiers of a person. Of ten, two share an e-mail under two external ids, three a device without ids, and six more than
 * a device's limit share one device.
 */
function identifiersOf(who: number): { kind: string; value: string }[] {
  const couple = who % 10 < 2 ? `couple-${Math.floor(who / 10)}` : `person-${who}`;
  const device = who % 10 > 3 ? `kiosk-${Math.floor(who / 10)}` : `device-${who}`;
  const all = [
    { kind: "external_id", value: `user-${who}` },
    { kind: "email", value: `${couple}@example.com` },
    { kind: "phone", value: `+4930${1_000_000 + who}` },
    { kind: "device_id", value: device },
    { kind: "anonymous_id", value: `visitor-${who}-a` },
    { kind: "anonymous_id", value: `visitor-${who}-b` },
  ];
  return who % 10 === 2 || who % 10 === 3 ? all.slice(1) : all;
}

/** Two or three names of one person; every 16th event names somebody else's too. */
function nameSomebody(random: Random, people: number): Draft["identifiers"] {
  const who = random.int(people);
  const named = random.some(identifiersOf(who), 1 + random.int(3));
  if (random.chance(1 / 16)) named.push(random.pick(identifiersOf((who + 1 + random.int(5)) % people)));
  return named.filter((one, i) => named.findIndex((other) => other.kind === one.kind && other.value === one.value) === i);
}

function traitsOf(random: Random, n: number): JsonObject {
  const values = [null, "pro", "free", "pro", n, true, ["x"], { deep: n }, "Zoë"];
  const names = ["plan", "plan", "city", "name", "customFields.size"];
  return Object.fromEntries(random.some(names, 1 + random.int(3)).map((name) => [name, random.pick(values)]));
}

const centsMax = 10_000;
function moneyOf(random: Random): NonNullable<Draft["money"]> {
  return {
    role: random.chance(0.75) ? "purchase" : "refund", cents: random.int(centsMax), currency: random.chance(0.8) ? "USD" : "EUR",
    ...(random.chance(0.6) && { orderId: `order-${random.int(200)}` }),
  };
}

/** Half of all happens within the last seconds, the rest in the whole time: runs of several events, and equal moments. */
function momentOf(random: Random, now: number, ageMsMax: number): number {
  const ageMs = random.chance(0.5) ? random.int(Math.min(3000, ageMsMax)) : random.int(ageMsMax);
  const grid = random.chance(0.3) && ageMsMax > hourMs ? hourMs / 2 : 1;
  return Math.floor((now - ageMs) / grid) * grid;
}

/** A writer of a tenant's events. */
export function createWriter(random: Random, story: Story): Writer {
  let written = 0;
  const known: Writer["known"] = [];
  const numbers: Record<Door, number> = { api: 0, import: 0, quarantine: 0, stream: 0 };
  function compose(door: Door, eventId: string, now: number): Draft {
    const n = ++written;
    const kind = random.pick(["track", "track", "track", "track", "identify", "identify", "page", "alias"] as const);
    const money = kind === "track" && random.chance(0.4) ? moneyOf(random) : undefined;
    const draft: Draft = {
      door, eventId, kind, name: kind === "track" ? (money?.role ?? `Viewed ${n % 5}`) : kind,
      identifiers: nameSomebody(random, story.people), properties: { of: story.of, n },
      ...(random.chance(0.97) && { ts: momentOf(random, now, story.ageMsMax) }),
      ...(known.length > 0 && random.chance(0.1) && { profile: random.pick(known) }),
      ...(kind === "identify" && { traits: traitsOf(random, n) }),
      ...(random.chance(0.2) && { sessionId: `session-${random.int(4)}` }),
      ...(money && { money }),
    };
    return door === "stream" && !isStreamable(draft) ? compose(door, eventId, now) : draft;
  }
  return {
    known,
    // Ids are the same at every door and in every tenant, where they mean other events.
    write: (count, now) => Array.from({ length: count }, () => {
      const door = random.pick(story.doors);
      numbers[door] += 1;
      return compose(door, `e-${numbers[door]}`, now);
    }),
    rewrite: ({ door, eventId }, now) => compose(door, eventId, now),
  };
}
