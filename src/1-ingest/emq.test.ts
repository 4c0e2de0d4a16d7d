import { describe, expect, test } from "vitest";
import type { EventKind } from "../contracts/canonical-event.ts";
import type { JsonObject } from "../contracts/json.ts";
import { defaultTenantSettings as settings } from "../core/tenant-defaults.ts";
import { completeness, contextRichness, emqScore, identifierQuality, timeliness } from "./emq.ts";

describe("identifier quality: 1 − Π(1 − priority/100)", () => {
  const rows: [kinds: string[], quality: number][] = [
    [[], 0],
    [["anonymous_id"], 0.1],
    [["device_id"], 0.4],
    [["email"], 0.8],
    [["email", "phone"], 0.94],
    [["device_id", "anonymous_id"], 0.46],
    [["external_id", "anonymous_id"], 1],
    [["profile"], 1],
    [["unheard_of"], 0],
  ];
  test.each(rows)("%j: %d", (kinds, quality) => {
    const identifiers = kinds.map((kind) => ({ entity: "person" as const, kind, value: "x" }));
    expect(identifierQuality({ identifiers }, settings)).toBeCloseTo(quality, 10);
  });
});

describe("completeness: share of the fields expected for the event's name", () => {
  const rows: [kind: EventKind, name: string, properties: JsonObject | undefined, share: number][] = [
    ["track", "purchase", { orderId: "ORD-789", amount: 299.99, items: [{ productId: "SKU-123" }], currency: "USD" }, 1],
    ["track", "Order Completed", { order_id: "1", revenue: 5, products: [{ sku: "a" }] }, 0.75],
    ["track", "Purchase", { amount: 0 }, 0.25],
    ["track", "purchase", undefined, 0],
    ["track", "Order Refunded", { order_id: "1", total: 5, currency: "EUR" }, 1],
    ["track", "product_view", { productId: "SKU-123", category: "Electronics" }, 2 / 3],
    ["track", "Product Viewed", { product_id: "SKU-123", category: "", price: null }, 1 / 3],
    ["track", "add_to_cart", { productId: "SKU-123", price: 299.99 }, 2 / 3],
    ["track", "page_view", { page: "/home" }, 1],
    ["page", "Home", { url: "https://shop.example/" }, 1],
    ["page", "Home", {}, 0],
    ["track", "custom_thing", {}, 1],
    ["identify", "identify", undefined, 1],
    ["track", "constructor", {}, 1],
  ];
  test.each(rows)("%s %s with %j: %d", (kind, name, properties, share) => {
    expect(completeness({ kind, name, ...(properties && { properties }) }, settings)).toBeCloseTo(share, 10);
  });

  test("a tenant's own purchase events are expected to carry what a purchase carries", () => {
    const own = { ...settings, purchaseEvents: ["Kauf"], revenueProperties: ["betrag"], orderIdProperties: ["nummer"] };
    expect(completeness({ kind: "track", name: "Kauf", properties: { betrag: 3, nummer: "7" } }, own)).toBe(0.5);
  });
});

describe("timeliness: from a minute's delay on it falls, at a day it is gone", () => {
  const rows: [delay: string, delayMs: number, score: number][] = [
    ["none", 0, 1],
    ["before it happened", -5_000, 1],
    ["a minute", 60_000, 1],
    ["an hour", 3_600_000, 0.437],
    ["a day", 86_400_000, 0],
    ["a year", 365 * 86_400_000, 0],
  ];
  test.each(rows)("%s", (_delay, delayMs, score) => {
    expect(timeliness(delayMs)).toBeCloseTo(score, 3);
  });
});

describe("context richness: share of ten things", () => {
  const segment = {
    ip: "203.0.113.9",
    userAgent: "Mozilla/5.0",
    page: { url: "https://shop.example/", referrer: "https://search.example/" },
    campaign: { source: "mail" },
    locale: "en-US",
    device: { type: "phone" },
    os: { name: "iOS" },
    screen: { width: 390 },
    timezone: "Europe/Berlin",
  };
  const rows: [what: string, context: JsonObject, share: number][] = [
    ["nothing", {}, 0],
    ["all, as Segment sends it", segment, 1],
    ["snake case", { user_agent: "curl", time_zone: "UTC" }, 0.2],
    ["a referrer beside the page", { page: { url: "https://shop.example/" }, referrer: { url: "https://a.example" } }, 0.2],
    ["empty things", { ip: "", page: {}, os: {}, locale: null, campaign: [] }, 0],
    ["a page that is no object", { page: "/home" }, 0],
  ];
  test.each(rows)("%s", (_what, context, share) => {
    expect(contextRichness(context)).toBe(share);
  });
});

describe("the score weighs 35, 25, 20 and 20 %, to four decimals", () => {
  const event = {
    kind: "track" as const,
    name: "product_view",
    ts: 0,
    receivedAt: 3_600_000,
    identifiers: [{ entity: "person" as const, kind: "email", value: "a@example.com" }],
    properties: { productId: "SKU-123" },
    context: { ip: "203.0.113.9", locale: "en" },
  };

  test("of an event an hour late", () => {
    // 0.35 · 0.8 + 0.25 · 1/3 + 0.2 · 0.43698 + 0.2 · 0.2
    expect(emqScore(event, settings)).toBe(0.4907);
  });

  test("of the best and the worst event", () => {
    const nothing = { kind: "track" as const, name: "purchase", ts: 0, receivedAt: 86_400_000, identifiers: [] };
    expect(emqScore(nothing, settings)).toBe(0);
    const identifiers = [{ entity: "person" as const, kind: "external_id", value: "1" }];
    const context = Object.fromEntries(["ip", "userAgent", "url", "referrer", "campaign", "locale", "device", "os", "screen", "timezone"].map((k) => [k, "x"]));
    expect(emqScore({ ...nothing, name: "anything", receivedAt: 0, identifiers, context }, settings)).toBe(1);
  });
});
