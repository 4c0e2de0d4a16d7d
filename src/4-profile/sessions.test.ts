import { describe, expect, test } from "vitest";
import { addToSessions, compactSessions, countSessions, emptySessions, mergeSessions, type SessionState } from "./sessions.ts";
import { stateLimits } from "./state.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** `10:00`, with seconds, or `day 2 10:00`; a name after `@` is the sessionId. */
function parse(text: string): { ts: number; sessionId: string | undefined } {
  const [, days = "1", hours, minutes, seconds = "0", sessionId] = /^(?:day (\d+) )?(\d+):(\d+)(?::([\d.]+))?(?: ?@(\w+))?$/.exec(text) ?? [];
  return { ts: Number(days) * day + Number(hours) * hour + Number(minutes) * minute + Number(seconds) * 1000, sessionId };
}

function add(sessions: SessionState, text: string, identity = 1): boolean {
  const { ts, sessionId } = parse(text);
  return addToSessions(sessions, identity, sessionId, ts);
}

function sessionsAt(...times: string[]): SessionState {
  const sessions = emptySessions();
  for (const time of times) add(sessions, time);
  return sessions;
}

describe("what a session is", () => {
  const rows: [rule: string, times: string[], sessions: number][] = [
    ["one event is one session", ["10:00"], 1],
    ["29 minutes and 59.999 seconds of silence do not end it", ["10:00", "10:29:59.999"], 1],
    ["30 minutes of silence end it", ["10:00", "10:30"], 2],
    ["it may last for hours", ["10:00", "10:20", "10:40", "11:00", "11:20", "11:40"], 1],
    ["a late event in the gap joins two sessions into one", ["10:00", "10:50", "10:25"], 1],
    ["two events at one time are one session", ["10:00", "10:00"], 1],
    ["it goes on past midnight", ["23:50", "day 2 0:10"], 1],
    ["each sessionId is its own, even at one time", ["10:00 @a", "10:00 @b"], 2],
    ["events without a sessionId join none that has one", ["10:00 @a", "10:05"], 2],
    ["silence does not end a sessionId", ["10:00 @a", "20:00 @a"], 1],
    ["a day of silence ends it", ["10:00 @a", "day 2 10:00 @a"], 2],
    ["a sessionId may last for days", ["day 1 10:00 @a", "day 2 9:00 @a", "day 3 8:00 @a"], 1],
  ];
  test.each(rows)("%s", (_rule, times, expected) => {
    expect(countSessions(sessionsAt(...times))).toBe(expected);
    expect(countSessions(sessionsAt(...times.toReversed()))).toBe(expected);
  });

  test("identities of a profile have sessions of their own", () => {
    const sessions = sessionsAt("10:00");
    add(sessions, "10:00", 2);
    expect(countSessions(sessions)).toBe(2);
  });
});

describe("what a compacted state can tell", () => {
  const hourly = Array.from({ length: 12 }, (_, i) => `${i}:00`);
  // The latest 8 are kept, 4:00 to 11:00; the last one forgotten is 3:00.
  const rows: [event: string, certain: boolean, sessions: number][] = [
    ["12:00", true, 13],
    ["11:10", true, 12],
    ["4:10", true, 12],
    ["7:30", true, 13],
    ["3:45", true, 12],
    ["3:30", true, 13],
    ["3:29", false, 12],
    ["0:30", false, 13],
    ["day 0 3:00", false, 13],
    ["3:10 @a", true, 13],
  ];
  test.each(rows)("after sessions at 0:00, 1:00 … 11:00 an event at %s: certain %s", (event, certain, total) => {
    const sessions = sessionsAt(...hourly);
    compactSessions(sessions, stateLimits);
    expect(add(sessions, event)).toBe(certain);
    if (certain) expect(countSessions(sessions)).toBe(total);
  });

  test("twenty sessionIds in a day are all kept, because each may still go on", () => {
    const sessions = sessionsAt(...Array.from({ length: 20 }, (_, i) => `${i}:00 @s${i}`));
    compactSessions(sessions, stateLimits);
    expect(add(sessions, "20:00 @s0")).toBe(true);
    expect(add(sessions, "20:00 @new")).toBe(true);
    expect(countSessions(sessions)).toBe(21);
  });

  test("a sessionId that ended long ago is only counted, and a new one is still certain", () => {
    const sessions = sessionsAt(...Array.from({ length: 20 }, (_, i) => `day ${i} 10:00 @s${i}`));
    compactSessions(sessions, stateLimits);
    expect(sessions.kept.get(1)?.runs.size).toBe(8);
    expect(add(sessions, "day 20 10:00 @new")).toBe(true);
    expect(countSessions(sessions)).toBe(21);
    expect(add(sessions, "day 11 9:00 @s11")).toBe(false);
  });

  test("the latest 32 identities are kept, and one with a larger number is certainly new", () => {
    const sessions = emptySessions();
    for (let id = 1; id <= 40; id++) add(sessions, `day ${id} 10:00`, id);
    compactSessions(sessions, stateLimits);
    expect([...sessions.kept.keys()]).toEqual(Array.from({ length: 32 }, (_, i) => i + 9));
    expect(add(sessions, "day 40 12:00", 41)).toBe(true);
    expect(add(sessions, "day 40 12:00", 9)).toBe(true);
    expect(countSessions(sessions)).toBe(42);
    expect(add(sessions, "day 40 12:00", 8)).toBe(false);
  });

  test("two states that both forgot sessions of one identity cannot be merged", () => {
    const [a, b] = [sessionsAt(...hourly), sessionsAt(...hourly.map((time) => `day 9 ${time}`))];
    compactSessions(a, stateLimits);
    expect(mergeSessions(structuredClone(a), b)).toBe(true);
    compactSessions(b, stateLimits);
    expect(mergeSessions(a, b)).toBe(false);
  });

  test("two states that forgot sessions of different identities can", () => {
    const [a, b] = [sessionsAt(...hourly), emptySessions()];
    for (const time of hourly) add(b, time, 2);
    compactSessions(a, stateLimits);
    compactSessions(b, stateLimits);
    expect(mergeSessions(a, b)).toBe(true);
    expect(countSessions(a)).toBe(24);
  });
});
