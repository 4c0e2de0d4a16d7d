import { expect, test } from "vitest";
import { ApiError } from "./errors.ts";
import { parseTimeBound, startOfToday } from "./time.ts";

const at = (iso: string): number => Date.parse(iso);

test.each([
  ["a time stands for itself", "2026-03-01T12:00:00Z", "UTC", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.001Z"],
  ["a date is a whole day", "2026-03-01", "UTC", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"],
  ["a date is a day of the tenant's zone", "2026-01-15", "America/New_York", "2026-01-15T05:00:00Z", "2026-01-16T05:00:00Z"],
  ["the day on which clocks go forward has 23 hours", "2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
  ["the day on which they go back has 25", "2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
  ["a zone with half an hour", "2026-06-01", "Asia/Kolkata", "2026-05-31T18:30:00Z", "2026-06-01T18:30:00Z"],
])("%s", (_, text, zone, start, end) => {
  expect(parseTimeBound("startDate", text, zone)).toEqual({ start: at(start), end: at(end) });
});

test("what is no time is refused and names the field", () => {
  expect(() => parseTimeBound("endDate", "2026-02-30", "UTC")).toThrow(ApiError);
});

test.each([
  ["UTC", "2026-06-01T00:30:00Z", "2026-06-01T00:00:00Z"],
  ["America/New_York", "2026-06-01T00:30:00Z", "2026-05-31T04:00:00Z"],
  ["Asia/Tokyo", "2026-06-01T16:00:00Z", "2026-06-01T15:00:00Z"],
])("today began in %s at %s …", (zone, now, start) => {
  expect(startOfToday(at(now), zone)).toBe(at(start));
});
