import { expect, test } from "vitest";
import { inSlices } from "./in-slices.ts";

test("all items come in order, and others get their turn between slices", async () => {
  const seen: (number | string)[] = [];
  setImmediate(() => seen.push("other"));
  await inSlices([10, 11, 12, 13, 14], (item, at) => seen.push(item, `#${at}`), 2);
  expect(seen.filter((one) => one !== "other")).toEqual([10, "#0", 11, "#1", 12, "#2", 13, "#3", 14, "#4"]);
  expect(seen.indexOf("other")).toBe(4);
});

test("what fails ends it", async () => {
  await expect(inSlices([1], () => { throw new RangeError("no"); })).rejects.toThrow("no");
  await inSlices([], () => { throw new RangeError("never called"); });
});
