import Type from "typebox";
import { expect, test } from "vitest";
import { createSchemaCheck } from "./check-schema.ts";

const check = createSchemaCheck(Type.Object({
  name: Type.String({ maxLength: 3 }),
  code: Type.Optional(Type.String({ pattern: "^[A-Z]+$", description: "capital letters" })),
  raw: Type.Optional(Type.String({ pattern: "^x$" })),
  size: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
  at: Type.Optional(Type.String({ format: "date-time" })),
  kind: Type.Optional(Type.Enum(["a", "b"])),
  either: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  rows: Type.Optional(Type.Array(Type.Object({ type: Type.String({ minLength: 1 }) }), { minItems: 1, maxItems: 2 })),
}), "body");

test("what fits has no errors", () => {
  const value = { name: "abc", code: "AB", size: 9, at: "2026-02-15T10:00:00Z", kind: "a", either: null, rows: [{ type: "x" }], more: 1 };
  expect(check(value)).toBeUndefined();
});

test.each<[string, unknown, string, string, string]>([
  ["the value itself", null, "body", "wrong_type", "body must be an object"],
  ["a missing field", {}, "name", "required", "name is required"],
  ["a wrong type", { name: 5 }, "name", "wrong_type", "name must be a string"],
  ["a text too long", { name: "abcd" }, "name", "too_long", "name must have at most 3 characters"],
  ["a described pattern", { name: "a", code: "x" }, "code", "invalid", "code must be capital letters"],
  ["a pattern without description", { name: "a", raw: "y" }, "raw", "invalid", 'raw must match pattern "^x$"'],
  ["a number with a fraction", { name: "a", size: 1.5 }, "size", "wrong_type", "size must be a whole number"],
  ["a number too small", { name: "a", size: 0 }, "size", "too_small", "size must be >= 1"],
  ["a number too large", { name: "a", size: 10 }, "size", "too_large", "size must be <= 9"],
  ["a text that is no time", { name: "a", at: "2026-02-15T101:30:00.000Z" }, "at", "wrong_format", "at must be a valid date-time"],
  ["a name that is not in the list", { name: "a", kind: "c" }, "kind", "not_allowed", "kind must be one of a, b"],
  ["no branch of a union", { name: "a", either: 5 }, "either", "invalid", "either must match a schema in anyOf"],
  ["a list too short", { name: "a", rows: [] }, "rows", "empty", "rows must not be empty"],
  ["a list too long", { name: "a", rows: [{ type: "a" }, { type: "b" }, { type: "c" }] }, "rows", "too_many", "rows must have at most 2 entries"],
  ["a field missing in a row", { name: "a", rows: [{ type: "a" }, {}] }, "rows[1].type", "required", "rows[1].type is required"],
  ["a field of a row", { name: "a", rows: [{ type: "" }] }, "rows[0].type", "empty", "rows[0].type must not be empty"],
])("%s", (_, value, field, reason, message) => {
  expect(check(value)).toEqual([{ field, reason, message }]);
});

test("everything wrong is told, up to eight", () => {
  expect(check({ name: "abcd", size: 0, kind: "c" })?.map(({ field }) => field)).toEqual(["name", "size", "kind"]);
  const many = createSchemaCheck(Type.Array(Type.String()), "body");
  expect(many(Array(50).fill(1))).toHaveLength(8);
});
