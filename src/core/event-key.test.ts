import fc from "fast-check";
import { expect, test } from "vitest";
import { eventKey, keyFromDecimal, keyToDecimal, keyWord } from "./event-key.ts";

test("the key of an event never changes", () => {
  expect(eventKey(1, 2, "e-1")).toBe("4c94bd1cf189f6e40fa0f8a54ba951f3");
});

test("tenant, source and id each make another key", () => {
  const ids: [number, number, string][] = [[1, 2, "e"], [2, 1, "e"], [1, 12, "e"], [11, 2, "e"], [1, 1, "2\ne"], [1, 2, "E"], [1, 2, ""]];
  expect(new Set(ids.map((id) => eventKey(...id))).size).toBe(ids.length);
});

test("a key survives the decimal form, leading zeros included", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 128n - 1n), (value) => {
      const key = value.toString(16).padStart(32, "0");
      expect(keyFromDecimal(keyToDecimal(key))).toBe(key);
      expect(keyToDecimal(key)).toBe(value.toString());
    }),
  );
});

test("keys sort alike as text and as numbers", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const [first, second] = [eventKey(1, 1, a), eventKey(1, 1, b)];
      expect(first < second).toBe(BigInt(keyToDecimal(first)) < BigInt(keyToDecimal(second)));
    }),
  );
});

test("a key is the four words that it is made of", () => {
  const word = fc.nat({ max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), (words) => {
      const key = words.map((one) => one.toString(16).padStart(8, "0")).join("");
      expect([0, 1, 2, 3].map((n) => keyWord(key, n))).toEqual(words);
      expect([0, 1, 2, 3].map((n) => keyWord(key.toUpperCase(), n))).toEqual(words);
    }),
  );
});
