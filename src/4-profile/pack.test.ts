import { expect, test } from "vitest";
import { Packr } from "msgpackr";
import { compact, foldEvent } from "./fold.ts";
import { packAggregates, unpackAggregates } from "./pack.ts";
import { emptyState, type FoldSettings } from "./state.ts";

const settings: FoldSettings = { currency: "USD", rates: {}, countOrderOnce: true };
const key = "00000000000000000000000000000abc";

test("sums beyond 64 bits and beyond exact numbers survive", () => {
  const state = emptyState();
  state.revenueByCurrency.set("USD", 2n ** 53n + 1n).set("EUR", -(10n ** 30n)).set("JPY", -1n);
  const read = emptyState();
  unpackAggregates(packAggregates(state), read);
  expect(read).toEqual(state);
});

test("a profile without events has no bytes to read", () => {
  const state = emptyState();
  unpackAggregates(new Uint8Array(0), state);
  expect(state).toEqual(emptyState());
});

test("a state that cannot tell is never packed", () => {
  expect(() => packAggregates({ ...emptyState(), cannotTell: true })).toThrow("must be folded anew");
});

test("bytes of another version are refused", () => {
  expect(() => unpackAggregates(new Packr().pack([3]), emptyState())).toThrow("version 3, expected 2");
});

test("reading replaces what the state held", () => {
  const state = emptyState();
  foldEvent(state, { tenantId: 1, anchor: 1, kind: "track", ts: 1, receivedAt: 1, key }, settings);
  unpackAggregates(packAggregates(emptyState()), state);
  expect(state.sessions.kept.size).toBe(0);
});

test("an ordinary profile takes under 100 bytes, and one at every bound under 210 KB", () => {
  const state = emptyState();
  const event = { tenantId: 1, kind: "track" as const, receivedAt: 1, key };
  for (let i = 0; i < 3; i++) foldEvent(state, { ...event, anchor: 1 + (i % 2), ts: 1_700_000_000_000 + i * 3_600_000 }, settings);
  expect(packAggregates(state).length).toBeLessThan(100);
  for (let i = 0; i < 40_000; i++) {
    const money = { role: "purchase" as const, micros: "249990000", currency: "USD", orderId: `order ${i}` };
    const ts = 1_700_000_000_000 + i * 20_000;
    foldEvent(state, { ...event, anchor: i % 50, ts: ts + (i % 2) * 60 * 60_000, money, ...(i % 2 && { sessionId: `s${i}` }) }, settings);
  }
  compact(state);
  expect(packAggregates(state).length).toBeLessThan(210_000);
});
