import { hash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createKeyMemory } from "./remember-keys.ts";

const keyOf = (n: number): string => hash("sha256", String(n), "hex").slice(0, 32);

test("nothing is covered before the memory was rebuilt", () => {
  const memory = createKeyMemory(1024);
  expect(memory.covers(Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(memory.complete).toBe(false);
});

test("a memory rebuilt from everything is complete until it forgets", () => {
  const memory = createKeyMemory(1024);
  memory.rebuilt(-Infinity);
  expect(memory.complete).toBe(true);
  for (let n = 0; n < 1000; n++) memory.remember(keyOf(n), n);
  expect(memory.complete).toBe(false);
});

test("a key that is covered and was remembered is never missed, however much was forgotten", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 400 }), (times) => {
      const memory = createKeyMemory(1024);
      memory.rebuilt(-Infinity);
      times.forEach((ts, n) => memory.remember(keyOf(n), ts));
      times.forEach((ts, n) => expect(!memory.covers(ts) || memory.mayHave(keyOf(n))).toBe(true));
    }),
  );
});

test("forgetting during the rebuild narrows what it covers", () => {
  const memory = createKeyMemory(1024);
  for (let n = 0; n < 500; n++) memory.remember(keyOf(n), n);
  memory.rebuilt(-Infinity);
  expect(memory.covers(0)).toBe(false);
});
