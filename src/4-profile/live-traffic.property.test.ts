import fc from "fast-check";
import { expect, test } from "vitest";
import type { FoldEvent } from "../contracts/fold-event.ts";
import { compact, foldEvent, mergeStates, totalSessions } from "./fold.ts";
import { emptyState, type FoldSettings } from "./state.ts";

// Folding anew from history is for the rare case: what ordinary people do must never need it.

const settings: FoldSettings = { currency: "USD", rates: {}, countOrderOnce: true };
const minute = 60_000;

interface Step {
  pauseMs: number;
  lateMs: number;
  sessionId: boolean;
  /** The person clears the cookies and comes back under a new identity. */
  newIdentity: boolean;
  order: boolean;
}
const someSteps = fc.array(
  fc.record<Step>({
    pauseMs: fc.oneof(fc.nat({ max: 10 * minute }), fc.nat({ max: 10 * minute }), fc.nat({ max: 3 * 24 * 60 * minute })),
    lateMs: fc.oneof(fc.constant(0), fc.nat({ max: 5 * minute })),
    sessionId: fc.boolean(),
    newIdentity: fc.nat({ max: 9 }).map((n) => n === 0),
    order: fc.nat({ max: 9 }).map((n) => n === 0),
  }),
  { minLength: 1, maxLength: 500, size: "max" },
);

/** Years of one person: a session per half hour of silence, some with the app's sessionId, a few events out of order. */
function live(steps: Step[]): FoldEvent[] {
  let now = 1_700_000_000_000;
  let session = 0;
  let anchor = 1;
  return steps.map((step, i) => {
    now += step.pauseMs;
    if (step.pauseMs >= 30 * minute) session += 1;
    if (step.newIdentity) anchor += 1;
    const key = i.toString(16).padStart(32, "0");
    const event: FoldEvent = { tenantId: 1, anchor, kind: "track", ts: now - step.lateMs, receivedAt: now, key };
    if (step.sessionId) event.sessionId = `session ${session}`;
    if (step.order) event.money = { role: "purchase", micros: "1000000", currency: "USD", orderId: `order ${i}` };
    return event;
  });
}

test("live events are always certain, and count what a full fold counts", () => {
  fc.assert(
    fc.property(someSteps, fc.integer({ min: 1, max: 20 }), (steps, batchSize) => {
      const events = live(steps);
      const state = emptyState();
      for (let from = 0; from < events.length; from += batchSize) {
        const delta = emptyState();
        for (const event of events.slice(from, from + batchSize)) foldEvent(delta, event, settings);
        mergeStates(state, delta, settings);
        compact(state);
      }
      const full = emptyState();
      for (const event of events) foldEvent(full, event, settings);
      expect(state.cannotTell).toBe(false);
      expect([totalSessions(state), state.purchases, state.revenue]).toEqual([totalSessions(full), full.purchases, full.revenue]);
    }),
    { numRuns: 300 },
  );
});
