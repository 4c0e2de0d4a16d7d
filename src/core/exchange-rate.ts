import type { TenantSettings } from "../contracts/directory.ts";

type RateSettings = Pick<TenantSettings, "currency" | "rates">;

/** Units of the tenant's currency for one of `currency` at `ts` (ms), as a decimal; undefined when no rate was valid yet. */
export function rateAt({ currency: own, rates }: RateSettings, currency: string, ts: number): string | undefined {
  if (currency === own) return "1";
  let valid: { fromMs: number; rate: string } | undefined;
  for (const rate of (Object.hasOwn(rates, currency) && rates[currency]) || []) {
    if (rate.fromMs <= ts && (!valid || rate.fromMs > valid.fromMs)) valid = rate;
  }
  return valid?.rate;
}
