import { expect, test } from "vitest";
import type { Identifier } from "../../contracts/canonical-event.ts";
import type { JsonObject } from "../../contracts/json.ts";
import { defaultTenantSettings } from "../../core/tenant-defaults.ts";
import { identifiersOfTraits, joinTraits } from "./join-traits.ts";

const email: Identifier = { entity: "person", kind: "email", value: "a@b.c" };
const phone: Identifier = { entity: "person", kind: "phone", value: "+12133734253" };

test.each<[string, JsonObject, Identifier[], JsonObject | undefined]>([
  ["an identifier sets the trait of its name", {}, [email, phone], { email: "a@b.c", phone: "+12133734253" }],
  ["the strongest of two does", {}, [email, { ...email, value: "second@b.c" }], { email: "a@b.c" }],
  ["a sent trait stays, normalised", { email: " Other@B.C ", phone: "+1 213 373-4253" }, [email], { email: "other@b.c", phone: "+12133734253" }],
  ["a sent trait that cannot be read stays as it is", { phone: "call me", email: { a: 1 } }, [], { phone: "call me", email: { a: 1 } }],
  ["null stays, to delete", { email: null }, [email], { email: null }],
  ["no trait at all", {}, [], undefined],
])("%s", (_case, traits, identifiers, expected) => {
  expect(joinTraits(traits, identifiers, [], defaultTenantSettings)).toEqual(expected);
});

test.each([["call me", { phone: "call me" }], ["null", undefined], ["", undefined]])("an identifier phone %j that identifies nobody is kept as trait %j", (value, expected) => {
  expect(joinTraits({}, [], [{ field: "phone", kind: "phone", value }], defaultTenantSettings)).toEqual(expected);
});

test("e-mail and phone among the traits of an identify identify", () => {
  const found = identifiersOfTraits("identify", "payload.traits", { email: "a@b.c", phone: 4722222222, name: "A" });
  expect(found).toEqual([{ field: "payload.traits.email", kind: "email", value: "a@b.c" }, { field: "payload.traits.phone", kind: "phone", value: 4722222222 }]);
});

test("those of other kinds do not", () => {
  expect(identifiersOfTraits("track", "traits", { email: "a@b.c" })).toEqual([]);
});
