import { untilProcessed } from "../../server-client.ts";
import type { Arena } from "../arena.ts";
import { defineAttack } from "../attack.ts";
import type { Draft } from "../draft.ts";

const dayMs = 86_400_000;

/** Everybody at one device and under one e-mail; one customer who does half of all; every event of another name. */
function gather({ random, short }: Arena, of: string, now: number): Draft[] {
  const people = short ? 150 : 1500;
  const compose = (n: number, identifiers: Draft["identifiers"]): Draft => ({
    door: random.pick(["api", "api", "import"] as const), eventId: `crowd-${n}`, kind: "track", name: `Name ${n}`, ts: now - random.int(dayMs), identifiers,
    properties: { of, n },
  });
  const crowd = Array.from({ length: people }, (_, n) => compose(n, [
    { kind: "external_id", value: `crowd-${n}` }, random.chance(0.5) ? { kind: "device_id", value: "kiosk" } : { kind: "email", value: "list@example.com" },
  ]));
  const busy = Array.from({ length: people * 2 }, (_, n) => compose(people + n, [
    { kind: "external_id", value: "busy" }, ...(random.chance(0.1) ? [{ kind: "anonymous_id", value: `busy-${n % 50}` }] : []),
  ]));
  return random.shuffle([...crowd, ...busy]);
}

export default defineAttack({
  name: "crowds",
  does: "a device and an e-mail shared by everybody, a customer with most of the events, as many event names as events",
  holds: "what is shared joins nobody, in whatever order it is told, and profiles are what the reference makes",
  async run(arena) {
    await arena.begin();
    const now = Date.now();
    await arena.send(arena.tenants.map(({ name }) => gather(arena, name, now)));
    await untilProcessed(arena.server);
    await arena.settle();
  },
});
