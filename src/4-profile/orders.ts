import { hash } from "node:crypto";
import { addForgotten, joinForgotten, mayBeForgotten } from "./forgotten-orders.ts";

/** A purchase that counts for its order id. */
export interface OrderEntry {
  ts: number;
  /** Event key, 32 hex digits. */
  key: string;
  micros: bigint;
  currency: string;
}

/** Which purchase counts per order id. Only 64 bits of the id's hash are kept, as 16 hex digits. */
export interface OrderState {
  kept: Map<string, OrderEntry>;
  /** Orders no longer kept: their purchases stay in the sums, their ids are forgotten. */
  forgotten: number;
  /** Tells which orders were surely not forgotten; undefined while none was, and where a version before the filter forgot some. */
  filter: Uint8Array | undefined;
}

export const emptyOrders = (): OrderState => ({ kept: new Map(), forgotten: 0, filter: undefined });

/** False when the order is surely none that was forgotten. */
const mayHaveForgotten = ({ forgotten, filter }: OrderState, order: string): boolean => forgotten > 0 && (filter === undefined || mayBeForgotten(filter, order));

export const orderHash = (orderId: string): string => hash("sha256", orderId, "hex").slice(0, 16);

/** Order of events: by time, then by event key. */
const isBefore = (a: { ts: number; key: string }, b: { ts: number; key: string }): boolean => a.ts < b.ts || (a.ts === b.ts && a.key < b.key);

/** What adding an order did: which purchase to take out of the sums, if any, and whether that is certain. */
export interface OrderOutcome {
  surplus: OrderEntry | undefined;
  certain: boolean;
}

/** Adds a purchase of which the smallest (ts, key) per order counts. An order that is not kept may be one that was forgotten. */
export function addOrder(orders: OrderState, order: string, entry: OrderEntry): OrderOutcome {
  const known = orders.kept.get(order);
  if (known && isBefore(known, entry)) return { surplus: entry, certain: true };
  orders.kept.set(order, entry);
  return { surplus: known, certain: known !== undefined || !mayHaveForgotten(orders, order) };
}

/** Adds `from` to `into`, both already in the sums; names the purchases that were counted twice. */
export function mergeOrders(into: OrderState, from: OrderState): { surplus: OrderEntry[]; certain: boolean } {
  let certain = into.forgotten === 0 || from.forgotten === 0;
  for (const order of into.kept.keys()) if (!from.kept.has(order) && mayHaveForgotten(from, order)) certain = false;
  const surplus: OrderEntry[] = [];
  for (const [order, entry] of from.kept) {
    const added = addOrder(into, order, entry);
    if (added.surplus) surplus.push(added.surplus);
    if (!added.certain) certain = false;
  }
  into.forgotten += from.forgotten;
  into.filter = joinForgotten(into.filter, from.filter);
  return { surplus, certain };
}

/** Forgets all but the latest orders by (ts, key). */
export function compactOrders(orders: OrderState, limits: { orders: number }): void {
  const excess = orders.kept.size - limits.orders;
  if (excess <= 0) return;
  const oldestFirst = [...orders.kept].sort(([, a], [, b]) => (isBefore(a, b) ? -1 : 1));
  // A filter that does not know all that was forgotten would be wrong about the others.
  const knowsAll = orders.forgotten === 0 || orders.filter !== undefined;
  for (const [order] of oldestFirst.slice(0, excess)) {
    orders.kept.delete(order);
    if (knowsAll) orders.filter = addForgotten(orders.filter, order);
  }
  orders.forgotten += excess;
}
