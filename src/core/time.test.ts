import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDurationMs, parseIsoTime, parseTimeBound, startOfToday, toIso } from "./time.ts";

describe("ISO-8601 times", () => {
  const rows: [text: string, utc: string][] = [
    ["2026-02-15T10:30:00.000Z", "2026-02-15T10:30:00.000Z"],
    ["2026-02-15T10:30:00Z", "2026-02-15T10:30:00.000Z"],
    ["2026-02-15T10:30Z", "2026-02-15T10:30:00.000Z"],
    ["2026-02-15T10:30:00", "2026-02-15T10:30:00.000Z"],
    ["2026-02-15 10:30:00", "2026-02-15T10:30:00.000Z"],
    ["2026-02-15t10:30:00z", "2026-02-15T10:30:00.000Z"],
    ["2026-02-15", "2026-02-15T00:00:00.000Z"],
    ["2026-02-15T10:30:00+02:00", "2026-02-15T08:30:00.000Z"],
    ["2026-02-15T10:30:00-0530", "2026-02-15T16:00:00.000Z"],
    ["2026-02-15T00:30:00+01", "2026-02-14T23:30:00.000Z"],
    ["2026-02-15T10:30:00.5Z", "2026-02-15T10:30:00.500Z"],
    ["2026-02-15T10:30:00,123Z", "2026-02-15T10:30:00.123Z"],
    ["2026-02-15T10:30:00.123999999Z", "2026-02-15T10:30:00.123Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["0099-01-01", "0099-01-01T00:00:00.000Z"],
    ["1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"],
  ];
  test.each(rows)("%s is %s", (text, utc) => {
    expect(toIso(parseIsoTime(text) ?? NaN)).toBe(utc);
  });

  const none = [
    "2026-02-15T101:30:00.000Z", "2026-02-30", "2025-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-02-15T24:00:00Z", "2026-02-15T10:60:00Z",
    "2026-02-15T10:30:60Z", "2026-02-15T10", "2026-2-15", "15.02.2026", "1763769600", "", " 2026-02-15", "2026-02-15T10:30:00Zoo", "yesterday",
    "2026-02-15T10:30:00+25:00", "2026-02-15T10:30:00+02:60", "2026-02-15T10:30:00.Z", "2026-02-15T10:30:00.1234567890Z", "2026-02-15Z",
  ];
  test.each(none)("%j is none", (text) => {
    expect(parseIsoTime(text)).toBeUndefined();
  });

  test("what is written is read back", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date("0000-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }), (date) => {
        expect(parseIsoTime(toIso(date.getTime()))).toBe(date.getTime());
      }),
    );
  });
});

describe("durations", () => {
  const rows: [text: string | number, ms: number | undefined][] = [
    ["5s", 5_000],
    ["2m", 120_000],
    ["24h", 86_400_000],
    ["500ms", 500],
    ["1d", 86_400_000],
    ["0", 0],
    ["250", 250],
    [250, 250],
    ["-5s", undefined],
    [-1, undefined],
    [NaN, undefined],
    ["", undefined],
    ["soon", undefined],
    ["5 parsecs", undefined],
    [`${"9".repeat(200)}s`, undefined],
  ];
  test.each(rows)("%j is %s ms", (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });
});

describe("a bound of a range", () => {
  const rows: [text: string, timeZone: string, start: string, end: string][] = [
    ["2026-02-15", "UTC", "2026-02-15T00:00:00.000Z", "2026-02-16T00:00:00.000Z"],
    ["2026-02-15", "Europe/Berlin", "2026-02-14T23:00:00.000Z", "2026-02-15T23:00:00.000Z"],
    ["2026-02-15", "America/New_York", "2026-02-15T05:00:00.000Z", "2026-02-16T05:00:00.000Z"],
    ["2026-02-15", "Asia/Kolkata", "2026-02-14T18:30:00.000Z", "2026-02-15T18:30:00.000Z"],
    ["2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"],
    ["2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"],
    ["2026-03-08", "America/New_York", "2026-03-08T05:00:00.000Z", "2026-03-09T04:00:00.000Z"],
    ["2026-02-15", "Pacific/Kiritimati", "2026-02-14T10:00:00.000Z", "2026-02-15T10:00:00.000Z"],
    ["2026-02-15T10:30:00Z", "Europe/Berlin", "2026-02-15T10:30:00.000Z", "2026-02-15T10:30:00.001Z"],
  ];
  test.each(rows)("%s in %s reaches from %s to %s", (text, timeZone, start, end) => {
    const bound = parseTimeBound("startDate", text, timeZone);
    expect([toIso(bound.start), toIso(bound.end)]).toEqual([start, end]);
  });

  test("that is no time is refused, naming the field", () => {
    expect(() => parseTimeBound("startDate", "soon", "UTC")).toThrow(
      expect.objectContaining({ code: "validation_failed", details: [expect.objectContaining({ field: "startDate", reason: "invalid_time" })] }),
    );
  });
});

describe("the present day starts at midnight of the time zone", () => {
  const rows: [now: string, timeZone: string, start: string][] = [
    ["2026-02-15T10:30:00.123Z", "UTC", "2026-02-15T00:00:00.000Z"],
    ["2026-02-15T23:30:00.000Z", "Europe/Berlin", "2026-02-15T23:00:00.000Z"],
    ["2026-02-15T22:59:59.999Z", "Europe/Berlin", "2026-02-14T23:00:00.000Z"],
    ["2026-02-15T03:00:00.000Z", "America/New_York", "2026-02-14T05:00:00.000Z"],
    ["2026-10-25T12:00:00.000Z", "Europe/Berlin", "2026-10-24T22:00:00.000Z"],
  ];
  test.each(rows)("at %s in %s: %s", (now, timeZone, start) => {
    expect(toIso(startOfToday(Date.parse(now), timeZone))).toBe(start);
  });
});
