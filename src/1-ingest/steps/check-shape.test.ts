import { expect, test } from "vitest";
import { checkShape } from "./check-shape.ts";

const nested = (levels: number): string => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;

test.each([
  ["a plain row", '{"type":"x","properties":{"a":[1,{"b":2.5}]}}'],
  ["32 levels", nested(32)],
  ["a value called __proto__", '{"a":"__proto__"}'],
  ["no object at all", '"text"'],
])("%s passes", (_case, json) => {
  expect(checkShape(JSON.parse(json), 32)).toBeUndefined();
});

test.each([
  ["__proto__ at the top", '{"__proto__":{"admin":true}}', "__proto__", "forbidden_key"],
  ["constructor deep down", '{"properties":{"a":[{"constructor":1}]}}', "properties.a[0].constructor", "forbidden_key"],
  ["prototype in traits", '{"traits":{"prototype":1}}', "traits.prototype", "forbidden_key"],
  ["a number beyond every number", '{"properties":{"n":1e999}}', "properties.n", "number_out_of_range"],
  ["its negative in a list", '{"properties":{"n":[1,-1e999]}}', "properties.n[1]", "number_out_of_range"],
  ["33 levels", nested(33), `${"a.".repeat(31)}a`, "too_deep"],
])("%s is refused by its path", (_case, json, field, reason) => {
  expect(checkShape(JSON.parse(json), 32)).toMatchObject({ field, reason });
});

test("a million levels are refused without a deep recursion", () => {
  expect(checkShape(JSON.parse(`${"[".repeat(1e6)}${"]".repeat(1e6)}`), 32)).toMatchObject({ reason: "too_deep" });
});
