import { expect, test } from "vitest";
import { mappedFields, parseMapping } from "./mapping.ts";

const valid = { event: "purchase", identifiers: { external_id: "customer" } };
const value = 'must be a field name, {"field","type"} with type string, number, boolean or json, or {"value"}';

test.each([
  ["an identifier and an event name are enough", valid],
  ["the event's name from a field", { ...valid, event: { field: "type" } }],
  ["an id of a constant and two fields", { ...valid, eventId: [{ value: "refund" }, "shop", "order"] }],
  ["times in seconds", { ...valid, timestamp: { field: "at", format: "unix" } }],
  ["typed, constant and nested values", { ...valid, properties: { amount: { field: "v", type: "number" }, currency: { value: "USD" }, "page.url": "url" } }],
])("%s", (_, mapping) => {
  expect(parseMapping(mapping)).toEqual({ mapping });
});

test.each([
  ["no object", [], ["the mapping must be a JSON object"]],
  ["nothing in it", {}, ["event: is missing", "identifiers: is missing"]],
  ["a mistyped setting", { ...valid, propertys: {} }, [expect.stringMatching(/^propertys: is no setting; there are event, eventId,/)]],
  ["a mistyped key of a value", { ...valid, properties: { amount: { feld: "v" } } }, [`properties.amount: ${value}`]],
  ["an unknown type", { ...valid, traits: { born: { field: "b", type: "date" } } }, [`traits.born: ${value}`]],
  ["an unknown time format", { ...valid, timestamp: { field: "t", format: "rfc" } }, ['timestamp: must be a field name, or {"field","format"} with format iso, unix or unix_ms']],
  ["an empty event id", { ...valid, eventId: [] }, ['eventId: must be a list of field names or {"value"} constants']],
  ["no identifier", { event: "x", identifiers: {} }, ["identifiers: must name at least one identifier"]],
  ["values that are no object", { ...valid, traits: "name" }, ["traits: must be an object of names and their values"]],
  ["a name that would change the prototype", { ...valid, context: { "a.__proto__.b": "x" } }, ["context.a.__proto__.b: is no usable name"]],
  ["an empty part of a name", { ...valid, traits: { "a..b": "x" } }, ["traits.a..b: is no usable name"]],
  ["a value inside a value", { ...valid, context: { page: "p", "page.url": "u" } }, ["context.page: cannot be a value and also hold page.url"]],
  ["every problem at once", { event: 1, identifiers: valid.identifiers, historical: "no" }, ['event: must be an event name, or {"field"}', "historical: must be true or false"]],
])("refuses %s", (_, mapping, problems) => {
  expect(parseMapping(mapping)).toEqual({ problems });
});

test("names every field that is read, once", () => {
  const fields = mappedFields({
    event: { field: "type" },
    eventId: ["order", { value: "x" }],
    timestamp: { field: "at", format: "unix" },
    identifiers: { email: "mail" },
    properties: { orderId: "order", amount: { field: "v", type: "number" }, currency: { value: "USD" } },
    sessionId: "session",
  });
  expect(fields.sort()).toEqual(["at", "mail", "order", "session", "type", "v"]);
});
