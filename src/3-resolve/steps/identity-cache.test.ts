import { hash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createIdentityCache } from "./identity-cache.ts";

const sha = (text: string): string => hash("sha256", text, "binary");

test("the same hash names another identity in another tenant and in another entity", () => {
  const cache = createIdentityCache(100);
  cache.set(1, "person", sha("a"), 7);
  expect(cache.get(1, "person", sha("a"))).toBe(7);
  expect(cache.get(2, "person", sha("a"))).toBeUndefined();
  expect(cache.get(1, "account", sha("a"))).toBeUndefined();
  expect(cache.get(1, "person", sha("b"))).toBeUndefined();
});

type Name = [tenantId: number, entity: string, hash: string];
const name: fc.Arbitrary<Name> = fc.tuple(
  fc.constantFrom(0, 1, 2, 2 ** 31, 2 ** 32 - 1), fc.constantFrom("person", "account"), fc.constantFrom(...["a", "b", "c", "d", "e"].map(sha)));
/** Two hashes that differ in one of the compared bytes only are two. */
const near = fc.tuple(name, fc.nat({ max: 15 }), fc.nat({ max: 255 })).map(([[tenantId, entity, digest], at, byte]): Name =>
  [tenantId, entity, digest.slice(0, at) + String.fromCharCode(byte) + digest.slice(at + 1)]);
const id = fc.oneof(fc.nat(), fc.integer({ min: 2 ** 32, max: Number.MAX_SAFE_INTEGER }));

test.each([["all fit", 2000], ["most are forgotten", 10]])("an answer is the id that was set last: %s", (_, entriesMax) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(name, near), id), { maxLength: 100, size: "max" }), (entries) => {
      const cache = createIdentityCache(entriesMax);
      const model = new Map<string, number>();
      for (const [one, to] of entries) {
        cache.set(...one, to);
        model.set(one.join(), to);
        expect(cache.get(...one)).toBe(to);
      }
      for (const [one] of entries) {
        const answer = cache.get(...one);
        if (entriesMax >= 2 * entries.length || answer !== undefined) expect(answer).toBe(model.get(one.join()));
      }
    }),
  );
});
