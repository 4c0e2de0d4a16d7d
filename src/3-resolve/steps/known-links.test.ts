import fc from "fast-check";
import { expect, test } from "vitest";
import { createKnownLinks } from "./known-links.ts";
import { placeOf } from "./order-links.ts";
import { type CandidateLink, pairOf, toLink } from "./tenant-link.ts";

const aLink = (over: Partial<CandidateLink> = {}): CandidateLink =>
  toLink({ tenantId: 1, a: 1, b: 2, ts: 1000, key: "5".repeat(32), ord: 1, ...over });
const key = (start: string): string => start.padEnd(32, "0");

function knowing(...links: CandidateLink[]) {
  const known = createKnownLinks(100);
  known.learn(links);
  known.settle(true);
  return known;
}

const recorded = aLink();
test.each<[string, Partial<CandidateLink>, boolean]>([
  ["later", { ts: 1001 }, true],
  ["earlier", { ts: 999 }, false],
  ["at the same time, by a greater key", { key: key("6") }, true],
  ["at the same time, by a key that is greater as a number without sign", { key: key("f") }, true],
  ["at the same time, by a smaller key", { key: key("4") }, false],
  ["by a key that is the same as far as it is remembered", { key: `${"5".repeat(16)}${"6".repeat(16)}` }, false],
  ["at the same place: seldom, and asking does no harm", {}, false],
  ["later, in another tenant", { tenantId: 2, ts: 1001 }, false],
  ["later, between others", { b: 3, ts: 1001 }, false],
  ["later, between others with large numbers", { b: 2 + 2 ** 32, ts: 1001 }, false],
  ["later, by a person", { manual: true, ts: 1001 }, false],
])("a link on record comes again %s", (_, over, skipped) => {
  expect(knowing(recorded).unseen([aLink(over)])).toHaveLength(skipped ? 0 : 1);
});

test("what was learnt is known once its transaction is committed, and not when it was not", () => {
  const known = createKnownLinks(100);
  const later = aLink({ ts: 2000 });
  known.learn([recorded]);
  expect(known.unseen([later])).toEqual([later]);
  known.settle(false);
  known.settle(true);
  expect(known.unseen([later])).toEqual([later]);
  known.learn([recorded]);
  known.settle(true);
  expect(known.unseen([later])).toEqual([]);
});

test("an identity is not linked with itself, and of one pair the earliest link is enough", () => {
  const links = [aLink({ ts: 5 }), aLink({ ts: 3, ord: 2 }), aLink({ ts: 3, ord: 1 }), aLink({ ts: 4 }), aLink({ a: 2, b: 2 })];
  expect(createKnownLinks(100).unseen(links)).toEqual([links[2]]);
});

const end = fc.constantFrom(1, 2, 2 ** 33 + 1);
const link = fc.record({
  tenantId: fc.constantFrom(1, 2), a: end, b: end, manual: fc.boolean(), ts: fc.nat({ max: 3 }),
  key: fc.constantFrom(key("0"), key("8"), key("00000001"), key("f"), `${"0".repeat(24)}f0000000`), ord: fc.integer({ min: 1, max: 2 }),
}).map(toLink);
const batches = fc.array(fc.record({ links: fc.array(link, { maxLength: 8 }), committed: fc.boolean() }), { maxLength: 30, size: "max" });

test.each([["all pairs fit", 1000], ["most are forgotten", 3], ["one fits", 1]])("what is left out never changes the record: %s", (_, pairsMax) => {
  fc.assert(
    fc.property(batches, (all) => {
      const known = createKnownLinks(pairsMax);
      const record = new Map<string, string>();
      for (const { links, committed } of all) {
        const unseen = known.unseen(links);
        expect(new Set(unseen.map(pairOf)).size).toBe(unseen.length);
        const left = new Map(unseen.map((one) => [pairOf(one), placeOf(one)]));
        for (const one of links.filter(({ a, b }) => a !== b)) {
          const places = [record.get(pairOf(one)), left.get(pairOf(one))].filter((place) => place !== undefined);
          expect(places.some((place) => place <= placeOf(one))).toBe(true);
        }
        known.learn(unseen);
        known.settle(committed);
        if (!committed) continue;
        for (const [pair, place] of left) if (place < (record.get(pair) ?? "~")) record.set(pair, place);
      }
    }),
  );
});

test("while all pairs fit, a link that comes again later is left out", () => {
  fc.assert(
    fc.property(fc.array(link, { maxLength: 40 }), (links) => {
      const known = createKnownLinks(1000);
      known.learn(known.unseen(links));
      known.settle(true);
      expect(known.unseen(links.map((one) => ({ ...one, ts: one.ts + 10 })))).toEqual([]);
    }),
  );
});
