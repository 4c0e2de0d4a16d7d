import Big from "big.js";

const Decimal = Big();
Decimal.RM = 2; // half-even
Decimal.DP = 40;
const scale = new Decimal(1_000_000);
/** One amount may not exceed a trillion units: sums of hostile amounts then stay within Decimal(38,6). */
const unitsMax = new Decimal("1e12");

/**
 * An amount as sent (a JSON number or a decimal string) in millionths, rounded half-even; undefined when it is no amount.
 * A number is read by its shortest decimal form, so 0.1 is a tenth.
 */
export function toMicros(amount: unknown): bigint | undefined {
  return (typeof amount === "number" ? toMicrosQuickly(String(amount)) : undefined) ?? toMicrosExactly(amount);
}

const plainAmount = /^(-?\d{1,12})(?:\.(\d{1,6}))?$/;

/** Amounts that need no rounding and no bound, which nearly all are: their digits are their millionths. */
function toMicrosQuickly(decimal: string): bigint | undefined {
  const [, units, fraction = ""] = plainAmount.exec(decimal) ?? [];
  return units === undefined ? undefined : BigInt(units + fraction.padEnd(6, "0"));
}

function toMicrosExactly(amount: unknown): bigint | undefined {
  if (typeof amount === "number" ? !Number.isFinite(amount) : typeof amount !== "string" || !/^-?\d{1,20}(\.\d{1,20})?$/.test(amount.trim())) return undefined;
  const value = new Decimal(typeof amount === "string" ? amount.trim() : String(amount));
  if (value.abs().gt(unitsMax)) return undefined;
  return BigInt(value.times(scale).round(0).toFixed(0));
}

/** Exact decimal of an amount in millionths: `249.99`, `-0.000001`, `12`. */
export function microsToDecimal(micros: bigint): string {
  const digits = (micros < 0n ? -micros : micros).toString().padStart(7, "0");
  const fraction = digits.slice(-6).replace(/0+$/, "");
  return `${micros < 0n ? "-" : ""}${digits.slice(0, -6)}${fraction ? `.${fraction}` : ""}`;
}

/** The JSON number of an amount, written from its decimal. */
export const microsToNumber = (micros: bigint): number => Number(microsToDecimal(micros));

const plainDecimal = /^(-?)(\d+)(?:\.(\d{1,6}))?$/;

/** Millionths from a decimal that a database printed. */
export function microsFromDecimal(decimal: string): bigint {
  const [, sign, whole, fraction = ""] = plainDecimal.exec(decimal) ?? [];
  if (whole !== undefined) return BigInt(`${sign}${whole}${fraction.padEnd(6, "0")}`);
  return BigInt(new Decimal(decimal).times(scale).round(0).toFixed(0));
}

/** `micros` of one currency in another at `rate` units for one, rounded half-even. */
export function convert(micros: bigint, rate: string): bigint {
  return BigInt(new Decimal(micros.toString()).times(rate).round(0).toFixed(0));
}

/** `micros` shared evenly by `count` (above 0), rounded half-even. */
export function averageMicros(micros: bigint, count: number): bigint {
  return BigInt(new Decimal(micros.toString()).div(count).round(0).toFixed(0));
}
