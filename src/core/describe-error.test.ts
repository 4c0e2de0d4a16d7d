import { expect, test } from "vitest";
import { describeError } from "./describe-error.ts";

test.each([
  ["a PostgreSQL error", Object.assign(new Error('invalid value "jane@example.com"'), { code: "22P02" }), { name: "Error", code: "22P02" }],
  ["a ClickHouse error", Object.assign(new Error("row: jane@example.com"), { code: "27", type: "CANNOT_PARSE" }), { name: "Error", code: "27" }],
  ["a JSON error", new SyntaxError('Unexpected token in "jane@example.com"'), { name: "SyntaxError" }],
  ["a system error", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }), { name: "Error", code: "ECONNREFUSED", message: "connect ECONNREFUSED" }],
  ["our own error", new RangeError("too far"), { name: "RangeError", message: "too far" }],
  ["what is no error", "jane@example.com", { name: "string" }],
])("of %s no value reaches the log", (_, error, expected) => {
  expect(describeError(error)).toEqual(expected);
});
