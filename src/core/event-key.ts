import { hash } from "node:crypto";

/**
 * The identity of an event: the first 128 bits of SHA-256 over (tenant, source, eventId), as 32 lower-case hex digits.
 * Compared as bytes everywhere: hex strings in JavaScript, `bytea` in PostgreSQL and UInt128 in ClickHouse sort alike.
 */
export function eventKey(tenantId: number, sourceId: number, eventId: string): string {
  return hash("sha256", `${tenantId}\n${sourceId}\n${eventId}`, "hex").slice(0, 32);
}

/** Decimal form of a key, as ClickHouse takes a UInt128 in JSON. */
export const keyToDecimal = (key: string): string => BigInt(`0x${key}`).toString();

/** The key of a UInt128 that ClickHouse printed in decimal. */
export const keyFromDecimal = (decimal: string): string => BigInt(decimal).toString(16).padStart(32, "0");

/** The n-th 32 bits of a key (n from 0 to 3), unsigned. Makes no string and no BigInt, so that keys can be kept as numbers. */
export function keyWord(key: string, n: number): number {
  let word = 0;
  for (let at = n * 8; at < n * 8 + 8; at++) {
    const digit = key.charCodeAt(at);
    word = (word << 4) | ((digit & 15) + (digit >> 6) * 9);
  }
  return word >>> 0;
}
