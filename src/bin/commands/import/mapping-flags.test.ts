import { expect, test } from "vitest";
import { applyMappingFlags } from "./mapping-flags.ts";

test("flags alone make a mapping", () => {
  const flags = ["event=purchase", "identifiers.external_id=customer_id", 'properties.amount={"field":"value","type":"number"}', "historical=false", 'eventId=["order"]'];
  expect(applyMappingFlags({}, flags)).toEqual({
    event: "purchase",
    identifiers: { external_id: "customer_id" },
    properties: { amount: { field: "value", type: "number" } },
    historical: false,
    eventId: ["order"],
  });
});

test("a flag goes over the file's setting and leaves the others", () => {
  const mapping = { event: "purchase", traits: { name: "n", city: "c" } };
  expect(applyMappingFlags(mapping, ["traits.name=full_name", "event=order"])).toEqual({ event: "order", traits: { name: "full_name", city: "c" } });
});

test("what follows the first dot is one name, and what follows the first = one value", () => {
  expect(applyMappingFlags({}, ["context.page.url=a=b"])).toEqual({ context: { "page.url": "a=b" } });
});

test("a column named like a number stays text", () => {
  expect(applyMappingFlags({}, ["timestamp=7"])).toEqual({ timestamp: "7" });
});

test.each(["event", "=x", 'event={"field"'])("refuses %s", (flag) => {
  expect(() => applyMappingFlags({}, [flag])).toThrow(/^--set/);
});
