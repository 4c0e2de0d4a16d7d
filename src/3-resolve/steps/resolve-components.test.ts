import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allOf, randomFacts, randomLimits } from "../fixtures/random-facts.ts";
import { stories, toFacts, toProfiles } from "../fixtures/stories.ts";
import { type Fact, keptApartOf, linksOf, type Profiles, resolveFacts, settingsWith, sortProfiles } from "../fixtures/world.ts";
import { resolveComponents } from "./resolve-components.ts";

describe("who is whom", () => {
  test.each(stories)("$title", (story) => {
    expect(resolveFacts(toFacts(story), settingsWith({}))).toEqual(sortProfiles(toProfiles(story)));
  });
});

test("the order in which facts are handed in means nothing", () => {
  const shuffled = randomFacts.map(allOf).chain((facts) => fc.tuple(fc.constant(facts), fc.shuffledSubarray(facts, { minLength: facts.length })));
  fc.assert(fc.property(shuffled, randomLimits, ([facts, others], limits) => {
    expect(resolveFacts(others, settingsWith(limits))).toEqual(resolveFacts(facts, settingsWith(limits)));
  }), { numRuns: 1000 });
});

test("it is the rule as the design words it, applied naively", () => {
  fc.assert(fc.property(randomFacts, randomLimits, (set, limits) => {
    const facts = allOf(set);
    expect(resolveFacts(facts, settingsWith(limits))).toEqual(resolveNaively(facts, limits));
  }), { numRuns: 2000 });
});

test("a chain of twenty thousand identities is one profile", () => {
  const identities = Array.from({ length: 20_000 }, (_, id) => ({ id, kind: "anonymous_id", priority: 10 }));
  const links = identities.slice(1).map(({ id }) => ({ a: id - 1, b: id, manual: false, ts: (id * 7919) % 20_000, key: "", ord: 1 }));
  const { components, refused } = resolveComponents({ identities, links, keptApart: [], partnersMax: () => 5 });
  expect([components.length, components[0]?.length, refused.length]).toEqual([1, 20_000, 0]);
});

test("a link that joins nothing says why", () => {
  const identities = [{ id: 1, kind: "external_id", priority: 100 }, { id: 2, kind: "external_id", priority: 100 }, { id: 3, kind: "email", priority: 80 }];
  const link = { manual: false, key: "", ord: 1 };
  const links = [{ ...link, a: 1, b: 2, ts: 1 }, { ...link, a: 1, b: 3, ts: 2 }, { ...link, a: 2, b: 3, ts: 3 }];
  const reasons = (partnersMax: number, apart: [number, number][]) => resolveComponents({
    identities, links, keptApart: apart.map(([a, b]) => ({ a, b, decidedMs: 0 })), partnersMax: () => partnersMax,
  }).refused.map(({ link: { a, b }, reason }) => `${a}-${b} ${reason}`);
  expect(reasons(5, [])).toEqual(["1-2 two_external_ids", "2-3 two_external_ids"]);
  expect(reasons(5, [[1, 3]])).toEqual(["1-2 two_external_ids", "1-3 kept_apart"]);
  expect(reasons(1, [])).toEqual(["1-2 two_external_ids", "1-3 shared_identifier", "2-3 shared_identifier"]);
});

const strength: Record<string, number> = { external_id: 100, email: 80, phone: 70, device_id: 40, anonymous_id: 10 };

/** Slow and without any cleverness: components are searched anew for every link. */
function resolveNaively(facts: Fact[], limits: Record<string, number>): Profiles {
  const names = [...new Set(facts.flatMap((fact) => [...fact.names, ...(fact.profile === undefined ? [] : [fact.profile])]))];
  const strengthOf = (id: number) => strength[(names[id] ?? "").split(":")[0] ?? ""] ?? 0;
  const limitOf = (id: number) => limits[(names[id] ?? "").split(":")[0] ?? ""] ?? 5;
  const links = linksOf(facts, settingsWith(limits), (name) => names.indexOf(name));
  const apart = keptApartOf(facts, (name) => names.indexOf(name)).filter((pair) =>
    !links.some((link) => link.manual && [link.a, link.b].includes(pair.a) && [link.a, link.b].includes(pair.b) && link.ts > pair.decidedMs));
  const isShared = names.map((_, id) => {
    const partners = new Set(links.filter((link) => !link.manual).flatMap((link) => (link.a === id ? [link.b] : link.b === id ? [link.a] : [])));
    return [...partners].filter((other) => strengthOf(other) > strengthOf(id)).length > limitOf(id);
  });
  const accepted: typeof links = [];
  const reach = (from: number): Set<number> => {
    const found = new Set([from]);
    for (let size = 0; size < found.size; ) {
      size = found.size;
      for (const { a, b } of accepted) if (found.has(a) || found.has(b)) found.add(a).add(b);
    }
    return found;
  };
  const later = (x: (typeof links)[number], y: (typeof links)[number]) =>
    x.manual !== y.manual ? (x.manual ? -1 : 1) : x.ts - y.ts || (x.key < y.key ? -1 : x.key > y.key ? 1 : x.ord - y.ord);
  for (const link of [...links].sort(later)) {
    const [left, right] = [reach(link.a), reach(link.b)];
    const hasExternal = (side: Set<number>) => [...side].some((id) => strengthOf(id) === 100);
    const isVoid = !link.manual && (isShared[link.a] || isShared[link.b]);
    const meets = apart.some(({ a, b }) => (left.has(a) && right.has(b)) || (left.has(b) && right.has(a)));
    const twoPeople = !link.manual && hasExternal(left) && hasExternal(right);
    if (!isVoid && (left.has(link.b) || (!meets && !twoPeople))) accepted.push(link);
  }
  return sortProfiles([...new Set(names.map((_, id) => [...reach(id)].map((other) => names[other] ?? "").sort().join(" ")))].map((line) => line.split(" ")));
}
