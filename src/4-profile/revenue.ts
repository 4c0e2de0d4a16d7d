import type { FoldEvent } from "../contracts/fold-event.ts";
import { rateAt } from "../core/exchange-rate.ts";
import { convert } from "../core/money.ts";
import { addOrder, mergeOrders, orderHash, type OrderEntry } from "./orders.ts";
import type { FoldSettings, ProfileState } from "./state.ts";

type Amount = Pick<OrderEntry, "ts" | "micros" | "currency">;

/** Folds what an event is worth: a purchase counts and adds, a refund only subtracts. */
export function foldMoney(state: ProfileState, event: FoldEvent, settings: FoldSettings): void {
  const { money, ts, key } = event;
  if (!money) return;
  const entry = { ts, key, micros: BigInt(money.micros), currency: money.currency };
  if (money.role === "refund") {
    sum(state, { ...entry, micros: -entry.micros }, settings, 1);
    return;
  }
  state.lastPurchase = Math.max(state.lastPurchase, ts);
  countPurchase(state, entry, settings, 1);
  if (money.orderId === undefined || !settings.countOrderOnce) return;
  const { surplus, certain } = addOrder(state.orders, orderHash(money.orderId), entry);
  if (surplus) countPurchase(state, surplus, settings, -1);
  if (!certain) state.cannotTell = true;
}

export function mergeMoney(into: ProfileState, from: ProfileState, settings: FoldSettings): void {
  into.lastPurchase = Math.max(into.lastPurchase, from.lastPurchase);
  into.purchases += from.purchases;
  into.revenue += from.revenue;
  into.unconverted += from.unconverted;
  for (const [currency, micros] of from.revenueByCurrency) addToCurrency(into, currency, micros);
  const { surplus, certain } = mergeOrders(into.orders, from.orders);
  for (const entry of surplus) countPurchase(into, entry, settings, -1);
  if (!certain) into.cannotTell = true;
}

function countPurchase(state: ProfileState, amount: Amount, settings: FoldSettings, times: 1 | -1): void {
  state.purchases += times;
  sum(state, amount, settings, times);
}

function sum(state: ProfileState, amount: Amount, settings: FoldSettings, times: 1 | -1): void {
  addToCurrency(state, amount.currency, amount.micros * BigInt(times));
  const converted = inTenantCurrency(amount, settings);
  if (converted === undefined) state.unconverted += times;
  else state.revenue += converted * BigInt(times);
}

function addToCurrency(state: ProfileState, currency: string, micros: bigint): void {
  const total = (state.revenueByCurrency.get(currency) ?? 0n) + micros;
  if (total === 0n) state.revenueByCurrency.delete(currency);
  else state.revenueByCurrency.set(currency, total);
}

/** The amount in the tenant's currency by the rate valid at its time, or undefined when there was none yet. */
export function inTenantCurrency({ micros, currency, ts }: Amount, settings: Pick<FoldSettings, "currency" | "rates">): bigint | undefined {
  if (currency === settings.currency) return micros;
  const rate = rateAt(settings, currency, ts);
  return rate === undefined ? undefined : convert(micros, rate);
}
