import type { EventKind, Money } from "../../contracts/canonical-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";
import type { JsonObject, JsonValue } from "../../contracts/json.ts";
import { rateAt } from "../../core/exchange-rate.ts";
import { toMicros } from "../../core/money.ts";
import { type Findings, isStorable, warn } from "../findings.ts";
import { indexSettings } from "./index-settings.ts";

const orderIdCharactersMax = 255;

interface Action {
  kind: EventKind;
  name: string;
  properties: JsonObject;
  /** Event time in milliseconds: decides the rate. */
  ts: number;
}

/**
 * What a purchase or refund is worth, by the tenant's names for them. A purchase whose amount is missing or unreadable
 * still is one, of nothing; a refund then gives nothing back. A refund's amount counts without its sign.
 */
export function deriveMoney({ kind, name, properties, ts }: Action, settings: TenantSettings, findings: Findings): Money | undefined {
  const role = kind === "track" ? indexSettings(settings).roleOfName.get(name) : undefined;
  if (!role) return undefined;
  const micros = role === "purchase" ? purchaseMicros(properties, settings, findings) : refundMicros(properties, settings, findings);
  if (micros === undefined) return undefined;
  const orderId = readOrderId(properties, settings);
  const currency = readCurrency(properties, settings, findings);
  if (rateAt(settings, currency, ts) === undefined) warn(findings, "no_exchange_rate");
  return { role, micros: micros.toString(), currency, ...(orderId !== undefined && { orderId }) };
}

function purchaseMicros(properties: JsonObject, settings: TenantSettings, findings: Findings): bigint {
  const amount = firstGiven(properties, settings.revenueProperties);
  const micros = toMicros(amount);
  if (amount === undefined) warn(findings, "missing_revenue");
  else if (micros === undefined || micros < 0n) warn(findings, "invalid_amount");
  return micros === undefined || micros < 0n ? 0n : micros;
}

function refundMicros(properties: JsonObject, settings: TenantSettings, findings: Findings): bigint | undefined {
  const amount = firstGiven(properties, settings.revenueProperties);
  const micros = toMicros(amount);
  if (amount === undefined) warn(findings, "refund_without_amount");
  else if (micros === undefined) warn(findings, "invalid_amount");
  return micros !== undefined && micros < 0n ? -micros : micros;
}

function readCurrency(properties: JsonObject, settings: TenantSettings, findings: Findings): string {
  const sent = firstGiven(properties, ["currency"]);
  if (sent === undefined) return settings.currency;
  const currency = typeof sent === "string" ? sent.trim().toUpperCase() : "";
  if (/^[A-Z]{3}$/.test(currency)) return currency;
  warn(findings, "invalid_currency");
  return settings.currency;
}

function readOrderId(properties: JsonObject, settings: TenantSettings): string | undefined {
  for (const name of settings.orderIdProperties) {
    const value = firstGiven(properties, [name]);
    const text = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
    if (text && text.length <= orderIdCharactersMax && isStorable(text)) return text;
  }
  return undefined;
}

function firstGiven(properties: JsonObject, names: string[]): JsonValue | undefined {
  const name = names.find((candidate) => Object.hasOwn(properties, candidate) && properties[candidate] !== null);
  return name === undefined ? undefined : properties[name];
}
