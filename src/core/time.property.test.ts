import fc from "fast-check";
import { expect, test } from "vitest";
import { parseIsoTime } from "./time.ts";

const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/i;

/** The same by regular expression and the calendar of `Date` alone: slow, and plainly right. */
function parsePlainly(text: string): number | undefined {
  const [matched, ...parts] = iso.exec(text) ?? [];
  if (matched === undefined) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(0, 6).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  time.setUTCHours(hour, minute, second, Number((parts[6] ?? "0").padEnd(3, "0").slice(0, 3)));
  const isSame = time.getUTCMonth() === month - 1 && time.getUTCDate() === day && time.getUTCHours() === hour && time.getUTCMinutes() === minute && second < 60;
  const zone = parts[7];
  const offset = !zone || /z/i.test(zone) ? 0 : Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(":", ""));
  return isSame ? time.getTime() - (zone?.startsWith("-") ? -offset : offset) * 60_000 : undefined;
}

const digits = (length: number, max: number): fc.Arbitrary<string> => fc.integer({ min: 0, max }).map((n) => String(n).padStart(length, "0"));
const year = fc.oneof(fc.constantFrom("0000", "0004", "0099", "0100", "1900", "1999", "2000", "2024", "2025", "2100", "9999"), digits(4, 9999));
const fraction = fc.oneof(fc.constantFrom("", "", ".000", ".123", ".5", ",25", ".1234", ".999999999", ".", ".12a"), digits(3, 999).map((text) => `.${text}`));
const zone = fc.constantFrom("Z", "Z", "Z", "Z", "", "z", "+00:00", "+02:00", "-0530", "+24:00", "ZZ");
const written = fc.record({ year, month: digits(2, 13), day: digits(2, 32), hour: digits(2, 25), minute: digits(2, 61), second: digits(2, 61), fraction, zone })
  .map((t) => `${t.year}-${t.month}-${t.day}T${t.hour}:${t.minute}:${t.second}${t.fraction}${t.zone}`);
/** A time with one character replaced, dropped or put in. */
const damaged = fc.tuple(written, fc.nat({ max: 30 }), fc.constantFrom("", "0", "9", "-", ":", ".", "T", "Z", " ", "/", "٣", "\0", "00"), fc.nat({ max: 1 }))
  .map(([text, at, put, drop]) => text.slice(0, at) + put + text.slice(at + drop));

test("a time is read as the plain reading reads it, whatever is sent", () => {
  fc.assert(fc.property(fc.oneof({ weight: 3, arbitrary: written }, { weight: 3, arbitrary: damaged }, fc.string()), (text) => {
    expect(parseIsoTime(text)).toBe(parsePlainly(text));
  }), { numRuns: 2000 });
});

test("every day of four centuries is one, and the day after the last of a month is none", () => {
  for (let year = 1900; year < 2300; year++) {
    for (let month = 1; month <= 12; month++) {
      const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
      const at = (day: number): number | undefined => parseIsoTime(`${year}-${String(month).padStart(2, "0")}-${day}T00:00:00Z`);
      expect([at(days), at(days + 1)]).toEqual([Date.UTC(year, month - 1, days), undefined]);
    }
  }
});
