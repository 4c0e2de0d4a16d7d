import { expect, test } from "vitest";
import { cursorKey, cursorNumber, decodeCursor, encodeCursor } from "./cursor.ts";
import { ApiError } from "./errors.ts";

test("a cursor gives back the place it was made of", () => {
  expect(decodeCursor(encodeCursor([1_700_000_000_000, "ab"]), 2)).toEqual([1_700_000_000_000, "ab"]);
});

test.each([
  ["no base64 of ours", "%%%"],
  ["no list", Buffer.from('{"a":1}').toString("base64url")],
  ["another number of values", encodeCursor([1])],
  ["values of another type", Buffer.from("[1,null]").toString("base64url")],
  ["a number beyond the safe integers", Buffer.from("[1e300,1]").toString("base64url")],
])("%s is refused and names cursor", (_, text) => {
  try {
    decodeCursor(text, 2);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).details?.[0]?.field).toBe("cursor");
  }
});

test("a key in a cursor is hexadecimal or refused", () => {
  expect(cursorKey("0".repeat(32))).toBe("0".repeat(32));
  expect(() => cursorKey("' or 1=1 --")).toThrow(ApiError);
  expect(() => cursorKey(5)).toThrow(ApiError);
});

test("a number in a cursor is a number or refused, text that looks like one included", () => {
  expect(cursorNumber(-5)).toBe(-5);
  for (const other of ["5", "abc", undefined]) expect(() => cursorNumber(other)).toThrow(ApiError);
});
