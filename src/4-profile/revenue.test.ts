import { describe, expect, test } from "vitest";
import type { Money } from "../contracts/canonical-event.ts";
import { microsToNumber, toMicros } from "../core/money.ts";
import { compact, foldEvent } from "./fold.ts";
import { inTenantCurrency } from "./revenue.ts";
import { emptyState, stateLimits, type FoldSettings, type ProfileState } from "./state.ts";

const settings: FoldSettings = {
  currency: "USD",
  rates: { EUR: [{ fromMs: Date.UTC(2026, 0, 1), rate: "1.1" }, { fromMs: Date.UTC(2026, 6, 1), rate: "1.2" }] },
  countOrderOnce: true,
};

let events = 0;
function fold(state: ProfileState, role: Money["role"], amount: number, day: string, more: { currency?: string; orderId?: string } = {}, by = settings): void {
  const money: Money = { role, micros: String(toMicros(amount)), currency: "USD", ...more };
  const key = (++events).toString(16).padStart(32, "0");
  foldEvent(state, { tenantId: 1, anchor: 1, kind: "track", ts: Date.parse(day), receivedAt: 0, key, money }, by);
}
const totals = (state: ProfileState) => ({ purchases: state.purchases, revenue: microsToNumber(state.revenue), unconverted: state.unconverted });

describe("what counts", () => {
  test("a purchase counts and adds, a refund only subtracts", () => {
    const state = emptyState();
    fold(state, "purchase", 249.99, "2026-02-01");
    fold(state, "purchase", 0.01, "2026-02-02");
    fold(state, "refund", 50, "2026-02-03");
    expect(totals(state)).toEqual({ purchases: 2, revenue: 200, unconverted: 0 });
    expect(state.lastPurchase).toBe(Date.parse("2026-02-02"));
  });

  test("of purchases with one order id the earliest counts, whichever comes first", () => {
    const state = emptyState();
    fold(state, "purchase", 30, "2026-02-02", { orderId: "A-1" });
    fold(state, "purchase", 20, "2026-02-01", { orderId: "A-1" });
    fold(state, "purchase", 10, "2026-02-03", { orderId: "A-1" });
    expect(totals(state)).toEqual({ purchases: 1, revenue: 20, unconverted: 0 });
    expect(state.lastPurchase).toBe(Date.parse("2026-02-03"));
  });

  test("where the tenant counts every purchase, equal order ids all count", () => {
    const state = emptyState();
    for (const day of ["2026-02-01", "2026-02-02"]) fold(state, "purchase", 20, day, { orderId: "A-1" }, { ...settings, countOrderOnce: false });
    expect(totals(state)).toEqual({ purchases: 2, revenue: 40, unconverted: 0 });
    expect(state.orders.kept.size).toBe(0);
  });

  test("a currency without a rate stays in its own sum and out of the total", () => {
    const state = emptyState();
    fold(state, "purchase", 10, "2026-02-01", { currency: "EUR" });
    fold(state, "purchase", 7, "2025-12-31", { currency: "EUR" });
    fold(state, "purchase", 100, "2026-02-01", { currency: "CHF" });
    fold(state, "refund", 1, "2026-08-01", { currency: "EUR" });
    expect(totals(state)).toEqual({ purchases: 3, revenue: 9.8, unconverted: 2 });
    expect(Object.fromEntries(state.revenueByCurrency)).toEqual({ EUR: 16_000_000n, CHF: 100_000_000n });
  });
});

describe("the rate valid at the time of the amount", () => {
  const rows: [amount: number, currency: string, day: string, inUsd: number | undefined][] = [
    [10, "USD", "1999-01-01", 10],
    [10, "EUR", "2025-12-31", undefined],
    [10, "EUR", "2026-01-01", 11],
    [10, "EUR", "2026-06-30", 11],
    [10, "EUR", "2026-07-01", 12],
    [0.000001, "EUR", "2026-07-01", 0.000001],
    [10, "CHF", "2026-07-01", undefined],
    [10, "constructor", "2026-07-01", undefined],
  ];
  test.each(rows)("%d %s on %s is worth %s USD", (amount, currency, day, expected) => {
    const micros = inTenantCurrency({ micros: toMicros(amount) ?? 0n, currency, ts: Date.parse(day) }, settings);
    expect(micros === undefined ? undefined : microsToNumber(micros)).toBe(expected);
  });
});

describe("orders beyond the bound", () => {
  const full = (): ProfileState => {
    const state = emptyState();
    for (let i = 0; i < 300; i++) fold(state, "purchase", 1, new Date(Date.UTC(2026, 0, 1, i)).toISOString(), { orderId: `order ${i}` });
    compact(state);
    return state;
  };

  test("the latest 256 are kept, the others stay counted", () => {
    const state = full();
    expect(state.orders.kept.size).toBe(stateLimits.orders);
    expect(totals(state)).toEqual({ purchases: 300, revenue: 300, unconverted: 0 });
    expect(state.cannotTell).toBe(false);
  });

  const rows: [what: string, orderId: string | undefined, certain: boolean][] = [
    ["a repetition of a kept order", "order 299", true],
    ["a purchase without an order id", undefined, true],
    ["a repetition of a forgotten order", "order 1", false],
    ["a new order, which is none of the forgotten ones", "order 300", true],
  ];
  test.each(rows)("%s", (_what, orderId, certain) => {
    const state = full();
    fold(state, "purchase", 1, "2026-03-01", orderId === undefined ? {} : { orderId });
    expect(state.cannotTell).toBe(!certain);
  });
});

describe("what was forgotten before there was a filter", () => {
  test("may be any order, until the profile is folded anew", () => {
    const state = emptyState();
    for (let i = 0; i < 300; i++) fold(state, "purchase", 1, new Date(Date.UTC(2026, 0, 1, i)).toISOString(), { orderId: `order ${i}` });
    compact(state);
    state.orders.filter = undefined;
    fold(state, "purchase", 1, "2026-03-01", { orderId: "order 999" });
    expect(state.cannotTell).toBe(true);
  });

  test("is not known by halves: forgetting more begins no filter", () => {
    const state = emptyState();
    state.orders.forgotten = 7;
    for (let i = 0; i < 300; i++) fold(state, "purchase", 1, new Date(Date.UTC(2026, 0, 1, i)).toISOString(), { orderId: `order ${i}` });
    compact(state);
    expect([state.orders.forgotten, state.orders.filter]).toEqual([51, undefined]);
  });
});
