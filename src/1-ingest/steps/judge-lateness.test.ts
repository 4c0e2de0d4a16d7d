import { expect, test } from "vitest";
import type { LatePolicy } from "../../contracts/directory.ts";
import { isPastWindow, judgeLateness } from "./judge-lateness.ts";

const rule = { windowMs: 5_000, graceMs: 120_000 };
const receivedAt = Date.parse("2026-02-15T10:00:30Z");

test.each<[string, number, LatePolicy, boolean, object]>([
  ["on time", 1, "quarantine", false, { late: false }],
  ["exactly window and grace", 125, "quarantine", false, { late: false }],
  ["beyond grace, quarantined", 126, "quarantine", false, { late: true, held: "late" }],
  ["beyond grace, applied", 126, "apply", false, { late: true }],
  ["historical is never late", 86_400_000, "quarantine", true, { late: false }],
])("%s (%d s old)", (_case, ageS, policy, historical, expected) => {
  expect(judgeLateness({ ts: receivedAt - ageS * 1000, receivedAt, historical, policy }, rule)).toEqual(expected);
});

test.each([[5, false], [6, true]])("%d s old is past the window: %s", (ageS, expected) => {
  expect(isPastWindow(receivedAt - ageS * 1000, receivedAt, rule)).toBe(expected);
});
