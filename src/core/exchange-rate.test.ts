import { expect, test } from "vitest";
import { rateAt } from "./exchange-rate.ts";

const settings = { currency: "USD", rates: { EUR: [{ fromMs: 100, rate: "1.1" }, { fromMs: 200, rate: "1.2" }] } };

test.each([
  ["the tenant's own currency needs no rate", "USD", 0, "1"],
  ["before the first rate there is none", "EUR", 99, undefined],
  ["a rate is valid from its time on", "EUR", 100, "1.1"],
  ["until the next one", "EUR", 199, "1.1"],
  ["the latest valid one counts", "EUR", 5000, "1.2"],
  ["a currency without rates has none", "JPY", 5000, undefined],
  ["names of the prototype are no currencies", "constructor", 0, undefined],
])("%s", (_, currency, ts, rate) => {
  expect(rateAt(settings, currency, ts)).toBe(rate);
});
