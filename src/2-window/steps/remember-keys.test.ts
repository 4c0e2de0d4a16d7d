import { hash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bitsPerKey, createKeyMemory } from "./remember-keys.ts";

const keyOf = (n: number | string): string => hash("sha256", String(n), "hex").slice(0, 32);
const randomKey = fc.stringMatching(/^[0-9a-f]{32}$/);

test("a miss proves nothing before the memory was rebuilt, and everything after", () => {
  const memory = createKeyMemory(1024);
  expect(memory.complete).toBe(false);
  memory.rebuilt();
  expect(memory.complete).toBe(true);
});

test("a key that was remembered is never missed, however small the memory and however alike the keys", () => {
  fc.assert(
    fc.property(fc.array(randomKey, { maxLength: 400 }), fc.integer({ min: 1, max: 5000 }), (keys, bytesMax) => {
      const memory = createKeyMemory(bytesMax);
      const alike = keys.flatMap((key) => [key, `${key.slice(0, 24)}00000000`, `${"f".repeat(8)}${key.slice(8)}`]);
      for (const key of alike) memory.remember(key);
      for (const key of alike) expect(memory.mayHave(key)).toBe(true);
    }),
  );
});

/** The chance that all places of a key are taken, over the Poisson-distributed number of keys in its block. */
function falseHits(keys: number, bytes: number): number {
  const perBlock = keys / (bytes / 64);
  let [chance, logOfFactorial] = [0, 0];
  for (let n = 1; n < perBlock + 40 * Math.sqrt(perBlock + 1); n++) {
    logOfFactorial += Math.log(n);
    chance += Math.exp(n * Math.log(perBlock) - perBlock - logOfFactorial) * (1 - (511 / 512) ** (bitsPerKey * n)) ** bitsPerKey;
  }
  return chance;
}

test.each([
  ["10 M", 10e6, "1.75e-7"],
  ["100 M", 100e6, "7.11e-3"],
  ["200 M", 200e6, "9.57e-2"],
  ["500 M", 500e6, "6.83e-1"],
])("with 128 MB and %s keys the chance of a question in vain is what the documentation says", (_, keys, chance) => {
  expect(falseHits(keys, 2 ** 27).toExponential(2)).toBe(chance);
});

// The table's ratios of keys to bytes, 2000 times smaller.
test.each([[5000], [50_000], [100_000], [250_000]])("of keys never seen as many are taken for seen as computed: %d keys in 64 KB", (keys) => {
  const memory = createKeyMemory(2 ** 16);
  for (let n = 0; n < keys; n++) memory.remember(keyOf(n));
  const strangers = 50_000;
  let hits = 0;
  for (let n = 0; n < strangers; n++) if (memory.mayHave(keyOf(`stranger ${n}`))) hits++;
  const expected = falseHits(keys, 2 ** 16) * strangers;
  // Six standard deviations, and one hit where none is expected.
  expect(Math.abs(hits - expected)).toBeLessThan(1 + 6 * Math.sqrt(expected));
});
