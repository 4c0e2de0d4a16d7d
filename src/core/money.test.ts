import Big from "big.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { averageMicros, convert, microsFromDecimal, microsToDecimal, microsToNumber, toMicros } from "./money.ts";

describe("an amount becomes millionths, rounded half-even", () => {
  const rows: [amount: unknown, micros: bigint | undefined][] = [
    [249.99, 249_990_000n],
    [0.1, 100_000n],
    [0, 0n],
    [-0, 0n],
    [-5.5, -5_500_000n],
    [" 249.99 ", 249_990_000n],
    ["-12", -12_000_000n],
    [0.0000005, 0n],
    [0.0000015, 2n],
    [0.0000025, 2n],
    [-0.0000015, -2n],
    ["0.00000250000000000001", 3n],
    [1e-7, 0n],
    [1e12, 10n ** 18n],
    ["1000000000000", 10n ** 18n],
    [1_000_000_000_000.01, undefined],
    [1e300, undefined],
    [NaN, undefined],
    [Infinity, undefined],
    ["", undefined],
    ["12 EUR", undefined],
    ["1,50", undefined],
    ["1e3", undefined],
    ["0x10", undefined],
    [".5", undefined],
    [null, undefined],
    [true, undefined],
    [["1"], undefined],
    [{}, undefined],
  ];
  test.each(rows)("%j is %s", (amount, micros) => {
    expect(toMicros(amount)).toBe(micros);
  });
});

describe("millionths are written as the shortest exact decimal", () => {
  const rows: [micros: bigint, decimal: string][] = [
    [249_990_000n, "249.99"],
    [-1n, "-0.000001"],
    [12_000_000n, "12"],
    [0n, "0"],
    [-100_000n, "-0.1"],
    [10n ** 30n, `1${"0".repeat(24)}`],
  ];
  test.each(rows)("%s is %s", (micros, decimal) => {
    expect(microsToDecimal(micros)).toBe(decimal);
    expect(microsFromDecimal(decimal)).toBe(micros);
  });

  test("and come back from it, whatever the amount", () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 36n), 10n ** 36n), (micros) => {
        expect(microsFromDecimal(microsToDecimal(micros))).toBe(micros);
      }),
    );
  });
});

test("a JSON number is read from the decimal, not computed", () => {
  expect(microsToNumber(249_990_000n)).toBe(249.99);
  expect(microsToNumber(-300_000n)).toBe(-0.3);
});

test("any amount in cents that a number can hold survives", () => {
  fc.assert(
    fc.property(fc.integer({ min: -(10 ** 11), max: 10 ** 11 }), (cents) => {
      const amount = cents / 100;
      expect(microsToNumber(toMicros(amount) ?? 0n)).toBe(amount === 0 ? 0 : amount);
    }),
  );
});

describe("conversion rounds half-even to a millionth", () => {
  const rows: [micros: bigint, rate: string, converted: bigint][] = [
    [10_000_000n, "1.1", 11_000_000n],
    [1n, "0.5", 0n],
    [3n, "0.5", 2n],
    [-3n, "0.5", -2n],
    [5n, "0.5", 2n],
    [1_000_000n, "0.0067", 6_700n],
    [10n ** 18n, "1.000000000000000001", 10n ** 18n + 1n],
  ];
  test.each(rows)("%s at %s is %s", (micros, rate, converted) => {
    expect(convert(micros, rate)).toBe(converted);
  });
});

describe("an average rounds half-even to a millionth", () => {
  const rows: [micros: bigint, count: number, average: bigint][] = [
    [10n, 4, 2n],
    [14n, 4, 4n],
    [-10n, 4, -2n],
    [100n, 3, 33n],
    [0n, 7, 0n],
  ];
  test.each(rows)("%s over %d is %s", (micros, count, average) => {
    expect(averageMicros(micros, count)).toBe(average);
  });
});

test("an amount is what the decimal library makes of it, whatever the number", () => {
  const Decimal = Big();
  Decimal.RM = 2;
  const plainly = (amount: number): bigint | undefined => {
    const value = new Decimal(String(amount));
    return value.abs().gt("1e12") ? undefined : BigInt(value.times(1_000_000).round(0).toFixed(0));
  };
  const scaled = fc.tuple(fc.maxSafeInteger(), fc.integer({ min: -3, max: 12 })).map(([n, digits]) => n / 10 ** digits);
  const edges = fc.constantFrom(0, -0, 1e12, -1e12, 1e12 + 1, 999_999_999_999.999999, 1e21, 1e-6, 1e-7, 5e-7, 0.1 + 0.2, Number.MIN_VALUE, Number.MAX_VALUE);
  fc.assert(fc.property(fc.oneof(scaled, edges, fc.double({ noNaN: true, noDefaultInfinity: true })), (amount) => {
    expect(toMicros(amount)).toBe(plainly(amount));
  }), { numRuns: 1000 });
});
