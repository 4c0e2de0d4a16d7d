import type { FoldEvent } from "../contracts/fold-event.ts";
import { compactOrders } from "./orders.ts";
import { foldMoney, mergeMoney } from "./revenue.ts";
import { addToSessions, compactSessions, countSessions, mergeSessions } from "./sessions.ts";
import { stateLimits, type FoldSettings, type ProfileState, type StateLimits } from "./state.ts";
import { compactTraits, foldTraits, mergeTraits } from "./traits.ts";

/**
 * Folds one event into `state`, which it changes. Each event may be folded once. Sets `cannotTell` when the event may
 * belong to something that `compact` forgot; folding never forgets anything itself.
 */
export function foldEvent(state: ProfileState, event: FoldEvent, settings: FoldSettings): void {
  state.totalEvents += 1;
  widen(state, event.ts, event.ts, event.receivedAt, event.receivedAt);
  foldMoney(state, event, settings);
  if (!addToSessions(state.sessions, event.anchor, event.sessionId, event.ts)) state.cannotTell = true;
  if (event.traits) foldTraits(state.traits, event.traits, event.ts, event.key);
}

/**
 * Adds the events of `from` to `into`, which it changes; `from` stays as it is and shares nothing with it. The two may
 * have no event in common. Sets `cannotTell` when one may continue what the other forgot.
 */
export function mergeStates(into: ProfileState, from: ProfileState, settings: FoldSettings): void {
  if (from.cannotTell) into.cannotTell = true;
  into.totalEvents += from.totalEvents;
  widen(into, from.firstSeen, from.lastSeen, from.createdAt, from.updatedAt);
  mergeMoney(into, from, settings);
  if (!mergeSessions(into.sessions, from.sessions)) into.cannotTell = true;
  mergeTraits(into.traits, from.traits);
}

/** Brings the state down to its bounds, traits beyond theirs included; never sets `cannotTell`. Call it after each batch. */
export function compact(state: ProfileState, limits: StateLimits = stateLimits): void {
  compactOrders(state.orders, limits);
  compactSessions(state.sessions, limits);
  compactTraits(state.traits, limits.traits);
}

/** Sessions of all identities of the profile. */
export const totalSessions = (state: ProfileState): number => countSessions(state.sessions);

function widen(state: ProfileState, firstSeen: number, lastSeen: number, createdAt: number, updatedAt: number): void {
  state.firstSeen = Math.min(state.firstSeen, firstSeen);
  state.lastSeen = Math.max(state.lastSeen, lastSeen);
  state.createdAt = Math.min(state.createdAt, createdAt);
  state.updatedAt = Math.max(state.updatedAt, updatedAt);
}
