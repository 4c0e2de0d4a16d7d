import type { TenantSettings } from "../contracts/directory.ts";
import { emptyOrders, type OrderState } from "./orders.ts";
import { emptySessions, type SessionState } from "./sessions.ts";
import type { Traits } from "./traits.ts";

/** The tenant settings that decide what a state means. When one of them changes, profiles are folded anew. */
export type FoldSettings = Pick<TenantSettings, "currency" | "rates" | "countOrderOnce">;

/**
 * What is known of a profile: a commutative monoid. Folding the same events in any order, batching and grouping gives
 * the same answers, or `cannotTell` is set: then the state means nothing and the caller folds all events anew.
 * Times are milliseconds; first and earliest are Infinity, last and latest -Infinity while there is no event.
 */
export interface ProfileState {
  totalEvents: number;
  firstSeen: number;
  lastSeen: number;
  /** The earliest time an event of the profile was received. */
  createdAt: number;
  /** The latest time an event of the profile was received. */
  updatedAt: number;
  /** Purchases that count: of equal orders one, when the tenant says so. */
  purchases: number;
  /** Time of the latest purchase event, whether it counts or repeats an order. */
  lastPurchase: number;
  /** Purchases minus refunds in the tenant's currency, in micros; amounts without a rate are left out. */
  revenue: bigint;
  /** How many counted amounts `revenue` leaves out for want of a rate. */
  unconverted: number;
  /** The same per currency as sent, in micros. A sum of zero has no entry. */
  revenueByCurrency: Map<string, bigint>;
  orders: OrderState;
  sessions: SessionState;
  traits: Traits;
  cannotTell: boolean;
}

/** How much of each kind a compacted state keeps. */
export interface StateLimits {
  /** Orders per profile: the latest by (ts, key). */
  orders: number;
  /** Runs per identity without a sessionId, and as many with one: the latest by end. */
  runs: number;
  /** Runs with a sessionId that are kept as long as an event can still join them. */
  openRuns: number;
  /** Identities per profile whose runs are kept: the latest by end. */
  identities: number;
  /** Traits per profile, deleted ones included: the latest by (ts, key, name). */
  traits: number;
}

export const stateLimits: StateLimits = { orders: 256, runs: 8, openRuns: 64, identities: 32, traits: 1000 };

export function emptyState(): ProfileState {
  return {
    totalEvents: 0,
    firstSeen: Infinity,
    lastSeen: -Infinity,
    createdAt: Infinity,
    updatedAt: -Infinity,
    purchases: 0,
    lastPurchase: -Infinity,
    revenue: 0n,
    unconverted: 0,
    revenueByCurrency: new Map(),
    orders: emptyOrders(),
    sessions: emptySessions(),
    traits: new Map(),
    cannotTell: false,
  };
}
