import fc from "fast-check";
import { expect, test } from "vitest";
import { createTwoGenerations } from "./two-generations.ts";

interface Step {
  key: number[];
  /** Set to this; else asked for. */
  value?: number[];
}
const word = fc.oneof(fc.nat({ max: 2 }), fc.constantFrom(0x80000000, 0xffffffff));
const step: fc.Arbitrary<Step> = fc.record(
  { key: fc.tuple(fc.constantFrom(1, 2, 0xffffffff), word, word), value: fc.tuple(word, fc.nat({ max: 9 })) },
  { requiredKeys: ["key"] },
);

function open(entriesMax: number) {
  const map = createTwoGenerations(entriesMax, 3, 2);
  const value = new Uint32Array(2);
  return {
    get: (key: number[]) => (map.get(Uint32Array.from(key), value) ? [...value] : undefined),
    set: (key: number[], to: number[]) => map.set(Uint32Array.from(key), Uint32Array.from(to)),
  };
}

test("an answer is what was set last; what was used lately is answered; never more than may be", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), fc.integer({ min: 2, max: 40 }), (steps, entriesMax) => {
      const map = open(entriesMax);
      const model = new Map<string, number[]>();
      const used: string[] = [];
      for (const { key, value } of steps) {
        const name = key.join();
        const lately = used.slice(-Math.floor(entriesMax / 2)).includes(name);
        if (value) {
          map.set(key, value);
          model.set(name, value);
        } else {
          const answer = map.get(key);
          if (answer) expect(answer).toEqual(model.get(name));
          else expect(lately).toBe(false);
          if (!answer) continue;
        }
        if (used.includes(name)) used.splice(used.indexOf(name), 1);
        used.push(name);
      }
      const answered = [...model.keys()].filter((name) => map.get(name.split(",").map(Number)) !== undefined);
      expect(answered.length).toBeLessThanOrEqual(entriesMax);
    }),
  );
});

test("while nothing has to be forgotten, it is a map", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      const map = open(1000);
      const model = new Map<string, number[]>();
      for (const { key, value } of steps) {
        if (value) map.set(key, value);
        if (value) model.set(key.join(), value);
        expect(map.get(key)).toEqual(model.get(key.join()));
      }
    }),
  );
});

test("a thousand entries turn over many times without an answer that is wrong", () => {
  const map = open(1000);
  for (let n = 0; n < 5000; n++) {
    map.set([1, n, n * 7], [n, n + 1]);
    const lately = Math.max(0, n - 249);
    expect(map.get([1, lately, lately * 7])).toEqual([lately, lately + 1]);
    expect(map.get([1, n, n * 7 + 1])).toBeUndefined();
  }
});
