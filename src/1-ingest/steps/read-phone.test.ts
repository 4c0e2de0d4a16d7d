import { expect, test } from "vitest";
import { readPhone } from "./read-phone.ts";

test.each([
  ["+1 (213) 373-4253", null, "+12133734253"],
  ["12133734253", null, "+12133734253"],
  ["213 373 4253", "US", "+12133734253"],
  ["22 22 22 22", "NO", "+4722222222"],
  ["0047 22222222", "SE", "+4722222222"],
  ["+4722222222", "US", "+4722222222"],
  ["+1 213 373 4253", "ZZ", "+12133734253"],
  ["call +12133734253", null, undefined],
  ["12", "US", undefined],
  ["", null, undefined],
  ["+".repeat(1000), null, undefined],
])("%j in %s is %s", (text, country, expected) => {
  expect(readPhone(text, country)).toBe(expected);
});
