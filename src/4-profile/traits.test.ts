import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../contracts/json.ts";
import { compactTraits, decodeTraits, encodeTraits, foldTraits, liveAttributes, mergeTraits, splitTraits, traitTimes, type Traits } from "./traits.ts";

interface Write {
  sent: JsonObject;
  ts: number;
  key: string;
}
const fold = (writes: Write[]): Traits => {
  const traits: Traits = new Map();
  for (const { sent, ts, key } of writes) foldTraits(traits, sent, ts, key);
  return traits;
};

describe("the last write wins, per trait", () => {
  const rows: [rule: string, writes: [JsonObject, ts: number, key: string][], attributes: JsonObject][] = [
    ["the later time wins, whichever comes first", [[{ plan: "new" }, 2, "a"], [{ plan: "old" }, 1, "b"]], { plan: "new" }],
    ["at one time the larger event key wins", [[{ plan: "b" }, 1, "b"], [{ plan: "a" }, 1, "a"]], { plan: "b" }],
    ["traits are independent", [[{ plan: "x" }, 2, "a"], [{ city: "Rome" }, 1, "b"]], { plan: "x", city: "Rome" }],
    ["null deletes", [[{ plan: "x" }, 1, "a"], [{ plan: null }, 2, "b"]], {}],
    ["an older value does not return after a deletion", [[{ plan: null }, 2, "b"], [{ plan: "x" }, 1, "a"]], {}],
    ["a newer value does", [[{ plan: null }, 2, "b"], [{ plan: "x" }, 3, "a"]], { plan: "x" }],
    ["false, zero and empty text are values", [[{ a: false, b: 0, c: "" }, 1, "a"]], { a: false, b: 0, c: "" }],
    ["a value may have another type than before", [[{ age: 31 }, 1, "a"], [{ age: "32" }, 2, "b"]], { age: "32" }],
    ["objects are replaced, not merged", [[{ company: { a: 1 } }, 1, "a"], [{ company: { b: 2 } }, 2, "b"]], { company: { b: 2 } }],
    ["custom fields are traits of their own", [[{ customFields: { a: 1, b: 1 } }, 1, "a"], [{ customFields: { b: 2 } }, 2, "b"]], { customFields: { a: 1, b: 2 } }],
    ["and are deleted one by one", [[{ customFields: { a: 1, b: 1 } }, 1, "a"], [{ customFields: { b: null } }, 2, "b"]], { customFields: { a: 1 } }],
    ["custom fields that are no object are ignored", [[{ customFields: "x" }, 1, "a"], [{ customFields: [1] }, 2, "a"]], {}],
    ["a custom field may also be sent by its full name", [[{ "customFields.a": 1 }, 1, "a"]], { customFields: { a: 1 } }],
    ["tags are an array", [[{ tags: ["vip"] }, 1, "a"]], { tags: ["vip"] }],
    ["one tag too", [[{ tags: "vip" }, 1, "a"]], { tags: ["vip"] }],
  ];
  test.each(rows)("%s", (_rule, writes, attributes) => {
    const traits = fold(writes.map(([sent, ts, key]) => ({ sent, ts, key })));
    expect(liveAttributes(traits)).toEqual({ tags: [], customFields: {}, ...attributes });
  });

  test("the names of an object's inner workings are ordinary names", () => {
    const sent = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1, "customFields": {"__proto__": 2}}') as JsonObject;
    const attributes = liveAttributes(decodeTraits(encodeTraits(fold([{ sent, ts: 1, key: "a" }]))));
    expect(Object.keys(attributes).toSorted()).toEqual(["__proto__", "constructor", "customFields", "tags"]);
    expect(Object.keys(attributes.customFields)).toEqual(["__proto__"]);
    expect("admin" in attributes).toBe(false);
  });

  test("the time of a trait is that of the write that won; deleted traits have none", () => {
    const traits = fold([{ sent: { plan: "a", city: "Rome" }, ts: 1, key: "a" }, { sent: { plan: "b", city: null }, ts: 5, key: "b" }]);
    expect(traitTimes(traits)).toEqual([["plan", 5]]);
  });
});

describe("whatever the order", () => {
  const value = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 3 }), fc.constantFrom("x", "y"), fc.boolean());
  const sent = fc.record({ plan: value, tags: value, email: value, customFields: fc.record({ a: value, b: value }, { requiredKeys: [] }) }, { requiredKeys: [] });
  const writes = fc.array(fc.record({ sent, ts: fc.nat({ max: 4 }), key: fc.constantFrom("a", "b", "c") }), { maxLength: 20 });
  const twoOrders = writes.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), fc.nat({ max: all.length })));

  test("the same writes give the same document", () => {
    fc.assert(
      fc.property(twoOrders, ([all, shuffled]) => {
        expect(encodeTraits(fold(shuffled))).toBe(encodeTraits(fold(all)));
      }),
    );
  });

  test("and so do parts of them, merged", () => {
    fc.assert(
      fc.property(twoOrders, ([all, shuffled, cut]) => {
        const traits = fold(shuffled.slice(0, cut));
        mergeTraits(traits, fold(shuffled.slice(cut)));
        expect(encodeTraits(traits)).toBe(encodeTraits(fold(all)));
      }),
    );
  });

  test("a document split in two is read back whole", () => {
    fc.assert(
      fc.property(writes, (all) => {
        const traits = fold(all);
        const { open, personal } = splitTraits(traits);
        expect(personal.size + open.size).toBe(traits.size);
        expect(decodeTraits(encodeTraits(personal), decodeTraits(encodeTraits(open)))).toEqual(traits);
      }),
    );
  });
});

test("the document is written as {name: [value, ts, key]}", () => {
  expect(encodeTraits(fold([{ sent: { plan: "pro", city: null }, ts: 7, key: "0a" }]))).toBe('{"city":[null,7,"0a"],"plan":["pro",7,"0a"]}');
});

test("what names or reaches a person lies apart", () => {
  const { open, personal } = splitTraits(fold([{ sent: { email: "a@example.com", plan: "pro", customFields: { street: "Elm St", size: "M" } }, ts: 1, key: "a" }]));
  expect([...personal.keys()]).toEqual(["email", "customFields.street"]);
  expect([...open.keys()]).toEqual(["plan", "customFields.size"]);
});

describe("a profile keeps its latest traits", () => {
  const write = fc.record({
    sent: fc.dictionary(fc.constantFrom("a", "b", "c", "d", "e", "f"), fc.option(fc.integer({ min: 0, max: 3 })), { maxKeys: 4 }),
    ts: fc.integer({ min: 0, max: 5 }),
    key: fc.constantFrom("k1", "k2", "k3", "k4"),
  });

  test("bounding in any order, batching and grouping is bounding the whole", () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 14 }), fc.array(fc.nat(), { maxLength: 14 }), fc.integer({ min: 1, max: 4 }), (writes, cuts, max) => {
        const whole = fold(writes);
        compactTraits(whole, max);
        const inParts: Traits = new Map();
        const shuffled = writes.map((one, at) => ({ one, place: cuts[at] ?? at })).sort((x, y) => x.place - y.place);
        for (let at = 0; at < shuffled.length; at += 2) {
          const part = fold(shuffled.slice(at, at + 2).map(({ one }) => one));
          compactTraits(part, max);
          mergeTraits(inParts, part);
          compactTraits(inParts, max);
        }
        expect(encodeTraits(inParts)).toBe(encodeTraits(whole));
      }),
      { numRuns: 2000 },
    );
  });

  test("the one set longest ago goes first, and a later write brings it back", () => {
    const traits = fold([{ sent: { a: 1 }, ts: 1, key: "k" }, { sent: { b: 1 }, ts: 2, key: "k" }, { sent: { c: 1 }, ts: 3, key: "k" }]);
    compactTraits(traits, 2);
    expect([...traits.keys()]).toEqual(["b", "c"]);
    foldTraits(traits, { a: 2 }, 4, "k");
    compactTraits(traits, 2);
    expect([...traits.keys()].sort()).toEqual(["a", "c"]);
  });
});
