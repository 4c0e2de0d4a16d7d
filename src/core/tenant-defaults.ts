import type { TenantSettings } from "../contracts/directory.ts";

/** Settings of a new tenant. Stored settings are merged over these, so a new field needs no migration. */
export const defaultTenantSettings: TenantSettings = {
  timeZone: "UTC",
  country: null,
  currency: "USD",
  rates: {},
  purchaseEvents: ["purchase", "Purchase", "Order Completed"],
  refundEvents: ["refund", "Refund", "Order Refunded"],
  revenueProperties: ["revenue", "amount", "total", "value"],
  orderIdProperties: ["orderId", "order_id", "transaction_id"],
  countOrderOnce: true,
  churnDays: 90,
  identifierKinds: [
    { kind: "external_id", priority: 100, partnersMax: 5 },
    { kind: "email", priority: 80, partnersMax: 5 },
    { kind: "phone", priority: 70, partnersMax: 5 },
    { kind: "device_id", priority: 40, partnersMax: 5 },
    { kind: "anonymous_id", priority: 10, partnersMax: 5 },
  ],
  blockedValues: ["null", "undefined", "-1", "anonymous"],
};

/** Priority of a kind; `profile` (a profileId in the request) ranks before all, an unknown kind after all. */
export function priorityOf(settings: Pick<TenantSettings, "identifierKinds">, kind: string): number {
  if (kind === "profile") return 1000;
  return settings.identifierKinds.find((k) => k.kind === kind)?.priority ?? 0;
}
