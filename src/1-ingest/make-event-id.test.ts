import { expect, test } from "vitest";
import { makeEventId } from "./make-event-id.ts";

test("ids made one after the other are UUIDs of version 7, of the present time, and differ", () => {
  const before = Date.now();
  const ids = Array.from({ length: 2000 }, makeEventId);
  const after = Date.now();
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    const madeAt = parseInt(id.replace("-", "").slice(0, 12), 16);
    expect(madeAt >= before && madeAt <= after).toBe(true);
  }
});
