import { expect, test } from "vitest";
import type { JsonObject } from "../../contracts/json.ts";
import type { Findings } from "../findings.ts";
import { flattenTraits } from "./flatten-traits.ts";

function flatten(traits: JsonObject): JsonObject | string | undefined {
  const findings: Findings = { errors: [], warnings: [] };
  const flat = flattenTraits({ field: "traits", value: traits }, findings);
  return findings.errors[0]?.reason ?? flat;
}

test.each<[string, JsonObject, JsonObject | string]>([
  ["plain traits stay", { plan: "pro", address: { city: "Oslo" } }, { plan: "pro", address: { city: "Oslo" } }],
  ["custom fields are traits of their own", { customFields: { shirt: "L", tags: ["a"] } }, { "customFields.shirt": "L", "customFields.tags": ["a"] }],
  ["null stays, to delete", { plan: null, customFields: { a: null } }, { plan: null, "customFields.a": null }],
  ["customFields that are no object are one trait", { customFields: ["a"] }, { customFields: ["a"] }],
  ["a name without letters", { "": 1 }, "invalid_trait_name"],
  ["a name with NUL", { "a\0b": 1 }, "invalid_trait_name"],
  ["half a character", { "\ud800": 1 }, "invalid_trait_name"],
  ["a name of 256 characters", { ["x".repeat(256)]: 1 }, "invalid_trait_name"],
])("%s", (_case, traits, expected) => {
  expect(flatten(traits)).toEqual(expected);
});

test.each([[500, undefined], [501, "too_many"], [10_000, "too_many"]])("%d traits", (count, reason) => {
  const flat = flatten({ customFields: Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, i])) });
  expect(typeof flat === "string" ? flat : undefined).toBe(reason);
});
