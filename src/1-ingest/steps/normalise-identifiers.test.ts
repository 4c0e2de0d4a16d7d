import { expect, test } from "vitest";
import type { TenantSettings } from "../../contracts/directory.ts";
import type { Draft, SentIdentifier } from "../../contracts/surface.ts";
import { defaultTenantSettings } from "../../core/tenant-defaults.ts";
import type { Findings } from "../findings.ts";
import { normaliseIdentifiers } from "./normalise-identifiers.ts";

const nobody = { field: "x", reason: "required", message: "x is required" };

function normalise(sent: [kind: string, value: string | number][], more: { settings?: Partial<TenantSettings>; profileId?: string } = {}) {
  const identifiers: SentIdentifier[] = sent.map(([kind, value], i) => ({ field: `identifiers[${i}].value`, kindField: `identifiers[${i}].type`, kind, value }));
  const draft: Draft = { kind: "track", name: { field: "type", value: "x" }, identifiers };
  if (more.profileId) draft.profileId = { field: "profileId", value: more.profileId };
  const findings: Findings = { errors: [], warnings: [] };
  const lookups = {
    settings: { ...defaultTenantSettings, ...more.settings },
    nobody,
    decodeProfile: (id: string) => (id === "profile-known" ? 7 : undefined),
  };
  const usable = normaliseIdentifiers(draft, [], lookups, findings).map(({ kind, value }) => `${kind}=${value}`);
  return { usable, warnings: findings.warnings, errors: findings.errors.map(({ field, reason }) => `${field} ${reason}`) };
}

const fine = (usable: string[], warnings: string[] = []) => ({ usable, warnings, errors: [] });

test.each<[string, [string, string | number][], ReturnType<typeof fine>]>([
  ["e-mail is trimmed and lower-cased", [["email", " User@Example.COM "]], fine(["email=user@example.com"])],
  ["external ids keep their case", [["external_id", " AbC "]], fine(["external_id=AbC"])],
  ["numbers become decimal strings", [["external_id", 4711]], fine(["external_id=4711"])],
  ["phones become E.164", [["phone", "+1 213 373-4253"]], fine(["phone=+12133734253"])],
  ["an unreadable phone identifies nobody", [["phone", "call me"], ["email", "a@b.c"]], fine(["email=a@b.c"], ["invalid_phone"])],
  ["strongest first", [["anonymous_id", "a"], ["email", "e"], ["external_id", "u"]], fine(["external_id=u", "email=e", "anonymous_id=a"])],
  ["of equal strength in the order sent", [["email", "b"], ["email", "a"]], fine(["email=b", "email=a"])],
  ["once each", [["email", "a@b.c"], ["email", " A@B.C"]], fine(["email=a@b.c"])],
  ["empty counts as missing", [["email", " "], ["anonymous_id", "a"]], fine(["anonymous_id=a"])],
  ["blocked values are dropped", [["external_id", "NULL"], ["anonymous_id", "a"]], fine(["anonymous_id=a"], ["blocked_identifier"])],
  ["-1 as a number too", [["external_id", -1], ["anonymous_id", "a"]], fine(["anonymous_id=a"], ["blocked_identifier"])],
  ["zeros", [["device_id", "00000000-0000-0000-0000-000000000000"], ["external_id", 0]], fine([], ["blocked_identifier", "no_identifier"])],
])("%s", (_case, sent, expected) => {
  expect(normalise(sent)).toEqual(expected);
});

test.each<[string, [string, string | number][], string]>([
  ["an unknown type", [["loyalty", "x"]], "identifiers[0].type unknown_identifier_type"],
  ["a type called like a method", [["toString", "x"]], "identifiers[0].type unknown_identifier_type"],
  ["the kind that only profileId has", [["profile", "7"]], "identifiers[0].type unknown_identifier_type"],
  ["a number that JSON rounds", [["external_id", 9007199254740993]], "identifiers[0].value number_out_of_range"],
  ["a number in scientific form", [["external_id", 1e-9]], "identifiers[0].value number_out_of_range"],
  ["NUL", [["email", "a\0@b.c"]], "identifiers[0].value invalid_characters"],
  ["half a character", [["email", "a\ud800"]], "identifiers[0].value invalid_characters"],
  ["1025 characters", [["external_id", "x".repeat(1025)]], "identifiers[0].value too_long"],
  ["nobody", [], "x required"],
  ["nobody but empty text", [["email", ""]], "x required"],
  ["21 identifiers", Array.from({ length: 21 }, (_, i) => ["email", `a${i}@b.c`]), "identifiers[20].value too_many"],
])("%s refuses the row", (_case, sent, error) => {
  expect(normalise(sent).errors).toEqual([error]);
});

test("a known profileId comes first", () => {
  expect(normalise([["external_id", "u"]], { profileId: "profile-known" })).toEqual(fine(["profile=7", "external_id=u"]));
});

test("an unknown profileId refuses the row", () => {
  expect(normalise([["external_id", "u"]], { profileId: "profile-unknown" }).errors).toEqual(["profileId unknown_profile"]);
});

test("a tenant's own kind is known to it, by its priority", () => {
  const identifierKinds = [...defaultTenantSettings.identifierKinds, { kind: "loyalty", priority: 90, partnersMax: 5 }];
  expect(normalise([["email", "a@b.c"], ["loyalty", "L1"]], { settings: { identifierKinds } })).toEqual(fine(["loyalty=L1", "email=a@b.c"]));
});

test("a phone without + is of the tenant's country", () => {
  expect(normalise([["phone", "213 373 4253"]], { settings: { country: "US" } })).toEqual(fine(["phone=+12133734253"]));
});
