import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../contracts/json.ts";
import { operators } from "./index.ts";

// What every operator must do. Its examples are its table test.

test("every file of the folder is in the list, under the name of the file", () => {
  const files = readdirSync(import.meta.dirname).filter((file) => !/^index\.ts$|\.test\.ts$/.test(file));
  expect(operators.map(({ name }) => `${name.replaceAll("_", "-")}.ts`).sort()).toEqual(files.sort());
});

const scalar = fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
const anyFound = fc.oneof(fc.jsonValue(), scalar, fc.constant(undefined)) as fc.Arbitrary<JsonValue | undefined>;

describe.each(operators.map((operator) => [operator.name, operator] as const))("%s", (_name, operator) => {
  test.each(operator.examples.map((example) => [example.title, example] as const))("%s", (_title, { found, expected, result }) => {
    expect(operator.refuse(expected)).toBeUndefined();
    expect(operator.evaluate(found, expected)).toBe(result);
  });

  test("shows a profile that fits, one that does not, and one without the field", () => {
    expect(new Set(operator.examples.map(({ result }) => result))).toEqual(new Set([true, false]));
    expect(operator.examples.filter((example) => !("found" in example))).not.toEqual([]);
    expect(operator.summary).not.toBe("");
  });

  test("answers for whatever a profile has, and the same again", () => {
    fc.assert(fc.property(anyFound, fc.oneof(anyFound, scalar), (found, expected) => {
      fc.pre(operator.refuse(expected) === undefined);
      const answer = operator.evaluate(found, expected);
      expect([typeof answer, operator.evaluate(found, expected)]).toEqual(["boolean", answer]);
    }));
  });
});
