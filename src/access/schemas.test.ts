import { expect, test } from "vitest";
import { createSchemaCheck } from "../core/check-schema.ts";
import { NewSource } from "./schemas.ts";

const check = createSchemaCheck(NewSource, "body");
const blank = "name must be a text that is not blank, without control characters";

test.each(["web", "Web Site", " é ☃ ", "x".repeat(100)])("the name %j is taken", (name) => {
  expect(check({ name })).toBeUndefined();
});

test.each([
  [{}, "name is required"],
  [{ name: "" }, blank],
  [{ name: "   " }, blank],
  [{ name: "a\u0000b" }, blank],
  [{ name: "a\nb" }, blank],
  [{ name: "x".repeat(101) }, "name must have at most 100 characters"],
  [{ name: 5 }, "name must be a string"],
  [{ name: "web", latePolicy: "maybe" }, "latePolicy must be one of apply, quarantine"],
])("%j is refused: %s", (body, message) => {
  expect(check(body)?.map((error) => error.message)).toEqual([message]);
});
