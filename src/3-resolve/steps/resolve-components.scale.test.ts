import fc from "fast-check";
import { expect, test } from "vitest";
import { priorityOf } from "../../core/tenant-defaults.ts";
import { crowdSettings, randomCrowd } from "../../testing/random-crowd.ts";
import { type Accepted, referenceComponents } from "../../testing/reference-components.ts";
import { createKnownLinks } from "./known-links.ts";
import { linkEvents } from "./link-events.ts";
import { orderIdentifiers } from "./order-identifiers.ts";
import { partnersMaxOf } from "./record-links.ts";
import { resolveComponents } from "./resolve-components.ts";
import { toLink } from "./tenant-link.ts";

const pepper = Buffer.from("pepper of the tests");

/** Groups of identifiers, by the room's own steps. */
function resolve(accepted: readonly Accepted[]): string[] {
  const kinds = new Map<string, string>();
  const names = accepted.map(({ event }) => orderIdentifiers(event, crowdSettings, pepper).map(({ entity, kind, value }) => {
    const name = `${entity} ${kind}:${value}`;
    kinds.set(name, kind);
    return name;
  }));
  const ids = [...kinds.keys()];
  const idOf = new Map(ids.map((name, i) => [name, i]));
  const identities = names.map((own) => [...new Set(own.map((name) => idOf.get(name) ?? -1))]);
  const links = createKnownLinks(1).unseen(linkEvents(accepted.map(({ event }) => event), identities, accepted.map(({ key }) => key), () => false).map(toLink));
  const { components } = resolveComponents({
    identities: ids.map((name, id) => ({ id, kind: kinds.get(name) ?? "", priority: priorityOf(crowdSettings, kinds.get(name) ?? "") })),
    links, keptApart: [], partnersMax: (kind) => partnersMaxOf(crowdSettings, kind),
  });
  return components.map((members) => members.map((id) => ids[id]).sort().join(" ")).sort();
}

test("of thousands of events, in any order, who is whom is what the rule makes of them, word for word", () => {
  fc.assert(fc.property(randomCrowd, (crowd) => {
    const accepted = crowd.accepted(2000, 250);
    const labelOf = referenceComponents(accepted, crowdSettings, pepper);
    const groups = Map.groupBy(labelOf.keys(), (name) => labelOf.get(name));
    const expected = [...groups.values()].map((members) => members.sort().join(" ")).sort();
    expect(resolve(accepted)).toEqual(expected);
    expect(resolve(accepted.toReversed())).toEqual(expected);
    expect(groups.size).toBeLessThan(labelOf.size / 2);
  }), { numRuns: 12 });
});
