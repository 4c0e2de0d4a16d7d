import { hash } from "node:crypto";
import type { IdentityId } from "../contracts/identity.ts";

/** Events less than this apart are one session. */
const plainGapMs = 30 * 60_000;
/** A sessionId that is silent this long has ended; if it comes back, that is another session. Without an end nothing could be forgotten. */
const namedGapMs = 24 * 3_600_000;
/** A run with a sessionId stays while an event may join it; the hour is for events that arrive out of order. */
const namedOpenMs = namedGapMs + 3_600_000;

/** First and last event time of a session. */
export interface Run {
  start: number;
  end: number;
}

/**
 * Sessions of one identity. A class is what can join: events without a sessionId (class ""), or those of one sessionId
 * (16 hex digits of its hash). The runs of a class are disjoint, in time order, and at least the gap of their class apart.
 * Forgotten runs of a class lie at least that gap before its kept ones.
 */
export interface IdentitySessions {
  runs: Map<string, Run[]>;
  /** Runs no longer kept. */
  counted: number;
  /** Latest end of a forgotten run without a sessionId; -Infinity when there is none. */
  plainFloor: number;
  /** Latest end of a forgotten run with one; -Infinity when there is none. */
  namedFloor: number;
}

export interface SessionState {
  kept: Map<IdentityId, IdentitySessions>;
  /** Sessions of identities no longer kept. */
  countedElsewhere: number;
  /** Largest id of an identity no longer kept, -1 when there is none: ids only grow, so a larger one is certainly new. */
  forgottenMax: IdentityId;
}

export const emptySessions = (): SessionState => ({ kept: new Map(), countedElsewhere: 0, forgottenMax: -1 });

const emptyIdentity = (): IdentitySessions => ({ runs: new Map(), counted: 0, plainFloor: -Infinity, namedFloor: -Infinity });

/** Class of an event: "" without a sessionId. */
const sessionClass = (sessionId: string | undefined): string => (sessionId ? hash("sha256", sessionId, "hex").slice(0, 16) : "");

export function countSessions(sessions: SessionState): number {
  let total = sessions.countedElsewhere;
  for (const identity of sessions.kept.values()) total += countOf(identity);
  return total;
}

function countOf(identity: IdentitySessions): number {
  let total = identity.counted;
  for (const runs of identity.runs.values()) total += runs.length;
  return total;
}

/** Adds an event. False when it may belong to something forgotten. */
export function addToSessions(sessions: SessionState, id: IdentityId, sessionId: string | undefined, ts: number): boolean {
  const known = sessions.kept.get(id);
  const identity = known ?? emptyIdentity();
  if (!known) sessions.kept.set(id, identity);
  const name = sessionClass(sessionId);
  const certain = (known !== undefined || id > sessions.forgottenMax) && isApart(identity, name, ts);
  insertRun(identity, name, ts, ts);
  return certain;
}

/** Adds `from` to `into`. False when a session of one may belong to something the other forgot. */
export function mergeSessions(into: SessionState, from: SessionState): boolean {
  let certain = into.forgottenMax < 0 || from.forgottenMax < 0;
  for (const id of into.kept.keys()) if (id <= from.forgottenMax && !from.kept.has(id)) certain = false;
  for (const [id, added] of from.kept) {
    const known = into.kept.get(id);
    if (!known && id <= into.forgottenMax) certain = false;
    const identity = known ?? emptyIdentity();
    if (!known) into.kept.set(id, identity);
    if (!mergeIdentity(identity, added)) certain = false;
  }
  into.countedElsewhere += from.countedElsewhere;
  into.forgottenMax = Math.max(into.forgottenMax, from.forgottenMax);
  return certain;
}

function mergeIdentity(into: IdentitySessions, from: IdentitySessions): boolean {
  const bothForgot = (isFloor(into.plainFloor) && isFloor(from.plainFloor)) || (isFloor(into.namedFloor) && isFloor(from.namedFloor));
  const certain = !bothForgot && areApart(into, from) && areApart(from, into);
  for (const [name, runs] of from.runs) for (const run of runs) insertRun(into, name, run.start, run.end);
  into.counted += from.counted;
  into.plainFloor = Math.max(into.plainFloor, from.plainFloor);
  into.namedFloor = Math.max(into.namedFloor, from.namedFloor);
  return certain;
}

const isFloor = (floor: number): boolean => floor !== -Infinity;

/** True when no kept run of `others` can touch a run that `identity` forgot. */
function areApart(identity: IdentitySessions, others: IdentitySessions): boolean {
  for (const [name, runs] of others.runs) for (const run of runs) if (!isApart(identity, name, run.start)) return false;
  return true;
}

/** True when a run of this class from `start` on cannot touch a forgotten one: the floor is too far, or a kept run lies between. */
function isApart(identity: IdentitySessions, name: string, start: number): boolean {
  const floor = name === "" ? identity.plainFloor : identity.namedFloor;
  if (start >= floor + gapOf(name)) return true;
  const oldest = identity.runs.get(name)?.[0];
  return oldest !== undefined && oldest.start <= start;
}

const gapOf = (name: string): number => (name === "" ? plainGapMs : namedGapMs);

/** Adds a run to its class and joins all that are less than the gap away. */
function insertRun(identity: IdentitySessions, name: string, start: number, end: number): void {
  const runs = identity.runs.get(name);
  if (!runs) {
    identity.runs.set(name, [{ start, end }]);
    return;
  }
  const gapMs = gapOf(name);
  const first = firstEndingAfter(runs, start - gapMs);
  const joined = { start, end };
  let next = first;
  for (let run = runs[next]; run && run.start < end + gapMs; run = runs[++next]) {
    joined.start = Math.min(joined.start, run.start);
    joined.end = Math.max(joined.end, run.end);
  }
  runs.splice(first, next - first, joined);
}

/** Index of the first run that ends after `time`: a full fold may hold thousands of runs, and not in time order. */
function firstEndingAfter(runs: Run[], time: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle] as Run).end > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Forgets what is beyond the limits; the number of sessions stays. */
export function compactSessions(sessions: SessionState, limits: { runs: number; openRuns: number; identities: number }): void {
  for (const identity of sessions.kept.values()) {
    compactPlain(identity, limits.runs);
    compactNamed(identity, limits.runs, limits.openRuns);
  }
  if (sessions.kept.size <= limits.identities) return;
  const latestFirst = [...sessions.kept].map(([id, identity]) => ({ id, identity, end: lastEnd(identity) })).sort((a, b) => b.end - a.end || b.id - a.id);
  for (const { id, identity } of latestFirst.slice(limits.identities)) {
    sessions.countedElsewhere += countOf(identity);
    sessions.forgottenMax = Math.max(sessions.forgottenMax, id);
    sessions.kept.delete(id);
  }
}

function compactPlain(identity: IdentitySessions, runsMax: number): void {
  const runs = identity.runs.get("");
  if (!runs || runs.length <= runsMax) return;
  const forgotten = runs.splice(0, runs.length - runsMax);
  identity.counted += forgotten.length;
  identity.plainFloor = Math.max(identity.plainFloor, (forgotten.at(-1) as Run).end);
}

/** Oldest first, so that what a sessionId forgets always lies before what it keeps. */
function compactNamed(identity: IdentitySessions, runsMax: number, openRunsMax: number): void {
  let size = -(identity.runs.get("")?.length ?? 0);
  for (const runs of identity.runs.values()) size += runs.length;
  if (size <= runsMax) return;
  const named = [...identity.runs].flatMap(([name, runs]) => (name === "" ? [] : runs.map((run) => ({ name, end: run.end }))));
  named.sort((a, b) => b.end - a.end);
  const newest = named[0]?.end ?? 0;
  const forgotten = named.filter(({ end }, i) => i >= runsMax && (i >= openRunsMax || end + namedOpenMs <= newest));
  for (const { name, end } of forgotten) {
    const runs = identity.runs.get(name) ?? [];
    if (runs.length === 1) identity.runs.delete(name);
    else runs.shift();
    identity.namedFloor = Math.max(identity.namedFloor, end);
  }
  identity.counted += forgotten.length;
}

function lastEnd(identity: IdentitySessions): number {
  let end = Math.max(identity.plainFloor, identity.namedFloor);
  for (const runs of identity.runs.values()) end = Math.max(end, runs.at(-1)?.end ?? -Infinity);
  return end;
}
