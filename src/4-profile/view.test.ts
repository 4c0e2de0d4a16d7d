import { Value } from "typebox/value";
import { describe, expect, test } from "vitest";
import type { KnownIdentifier } from "../contracts/identity.ts";
import type { FoldEvent } from "../contracts/fold-event.ts";
import { defaultTenantSettings as settings } from "../core/tenant-defaults.ts";
import { foldEvent } from "./fold.ts";
import { ProfileView } from "./profile-schema.ts";
import { emptyState } from "./state.ts";
import { profileView } from "./view.ts";

const at = (text: string): number => Date.parse(text);
const asOf = at("2026-02-20T00:00:00Z");
const identifier = (identityId: number, kind: string, value: string | null, priority: number, createdAt = at("2026-02-01T00:00:00Z")): KnownIdentifier => ({
  identityId, entity: "person", kind, value, priority, createdAt,
});

let events = 0;
const event = (ts: string, more: Partial<FoldEvent> = {}): FoldEvent => {
  const key = (++events).toString(16).padStart(32, "0");
  return { tenantId: 1, anchor: 1, kind: "track", ts: at(ts), receivedAt: at(ts) + 1000, key, ...more };
};
const purchase = (micros: string, currency: string): Partial<FoldEvent> => ({ money: { role: "purchase", micros, currency } });

function stateOf(...folded: FoldEvent[]) {
  const state = emptyState();
  for (const one of folded) foldEvent(state, one, settings);
  return state;
}

describe("the profile as the API answers it", () => {
  const state = stateOf(
    event("2026-02-10T10:00:00Z", { traits: { email: "jane@example.com", firstName: "Jane", customFields: { industry: "Technology" } } }),
    event("2026-02-11T10:00:00Z", purchase("249990000", "USD")),
    event("2026-02-12T10:00:00Z", purchase("100000000", "USD")),
    event("2026-02-13T10:00:00Z", { ...purchase("5000000", "EUR"), traits: { plan: null } }),
  );
  const identifiers = [
    identifier(4, "anonymous_id", "web-1", 10),
    identifier(2, "email", "jane@example.com", 80, at("2026-02-01T00:00:00Z")),
    identifier(1, "email", "old@example.com", 80, at("2026-01-01T00:00:00Z")),
    identifier(3, "external_id", null, 100),
    identifier(5, "device_id", "phone-1", 40),
  ];
  const view = profileView({ id: "profile-x", state, identifiers, totalIdentifiers: identifiers.length, segments: ["segment-x"] }, settings, asOf);

  test("as a whole", () => {
    expect(view).toEqual({
      id: "profile-x",
      externalIds: { email: "old@example.com", phone: null, customerId: null, deviceIds: ["phone-1"], anonymousIds: ["web-1"] },
      attributes: { email: "jane@example.com", firstName: "Jane", tags: [], customFields: { industry: "Technology" } },
      computed: {
        ltv: 349.99,
        aov: 116.663333,
        purchaseCount: 3,
        firstSeenDate: "2026-02-10T10:00:00.000Z",
        lastSeenDate: "2026-02-13T10:00:00.000Z",
        lastPurchaseDate: "2026-02-13T10:00:00.000Z",
        churnRisk: null,
        engagementScore: null,
      },
      consent: { email: null, sms: null, tracking: null, updatedAt: null },
      segments: ["segment-x"],
      lifecycleStage: "customer",
      totalEvents: 4,
      totalSessions: 4,
      totalPurchases: 3,
      totalRevenue: 349.99,
      revenueByCurrency: { EUR: 5, USD: 349.99 },
      currency: "USD",
      identifiers: view.identifiers,
      totalIdentifiers: 5,
      createdAt: "2026-02-10T10:00:01.000Z",
      updatedAt: "2026-02-13T10:00:01.000Z",
    });
  });

  test("fits the published schema", () => {
    expect([...Value.Errors(ProfileView, view)]).toEqual([]);
  });

  test("names all identifiers, strongest first; the oldest of its type is the primary one", () => {
    expect(view.identifiers.map(({ type, value, isPrimary }) => [type, value, isPrimary])).toEqual([
      ["external_id", null, true],
      ["email", "old@example.com", true],
      ["email", "jane@example.com", false],
      ["device_id", "phone-1", true],
      ["anonymous_id", "web-1", true],
    ]);
  });

  test("gives out the plain SHA-256 of an identifier, so that a receiver can match it; a redacted one has none", () => {
    expect(view.identifiers[2]?.hash).toBe("8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d");
    expect(view.identifiers[0]?.hash).toBeNull();
  });

  test("tells on request when each trait was set", () => {
    const { attributeTimes } = profileView({ id: "profile-x", state, identifiers, totalIdentifiers: identifiers.length, segments: [] }, settings, asOf, { traitTimes: true });
    const set = "2026-02-10T10:00:00.000Z";
    expect(attributeTimes).toEqual({ "customFields.industry": set, email: set, firstName: set });
    expect(view).not.toHaveProperty("attributeTimes");
  });
});

test("a profile without events has no times and no money", () => {
  const view = profileView({ id: "profile-x", state: emptyState(), identifiers: [], totalIdentifiers: 0, segments: [] }, settings, asOf);
  expect(view.computed).toMatchObject({ ltv: 0, aov: 0, purchaseCount: 0, firstSeenDate: null, lastSeenDate: null, lastPurchaseDate: null });
  expect(view).toMatchObject({ createdAt: null, updatedAt: null, lifecycleStage: "anonymous", totalSessions: 0 });
  expect([...Value.Errors(ProfileView, view)]).toEqual([]);
});

describe("known is who left an email or phone", () => {
  const rows: [what: string, identifiers: KnownIdentifier[], traits: Record<string, string | null>, stage: string][] = [
    ["a cookie only", [identifier(1, "anonymous_id", "web-1", 10)], {}, "anonymous"],
    ["a phone number", [identifier(1, "phone", "+14155551234", 70)], {}, "known"],
    ["a phone number that nobody could read", [], { phone: "call me" }, "known"],
    ["an email that was taken back", [], { email: null }, "anonymous"],
    ["a redacted email", [identifier(1, "email", null, 80)], {}, "known"],
  ];
  test.each(rows)("%s", (_what, identifiers, traits, stage) => {
    const state = stateOf(event("2026-02-10T10:00:00Z", { traits }));
    expect(profileView({ id: "profile-x", state, identifiers, totalIdentifiers: identifiers.length, segments: [] }, settings, asOf).lifecycleStage).toBe(stage);
  });
});
