import { expect, test } from "vitest";
import type { JsonObject } from "../../contracts/json.ts";
import { defaultTenantSettings } from "../../core/tenant-defaults.ts";
import type { Findings } from "../findings.ts";
import { deriveMoney } from "./derive-money.ts";

function derive(name: string, properties: JsonObject): { money: string; warnings: string[] } {
  const findings: Findings = { errors: [], warnings: [] };
  const money = deriveMoney({ kind: "track", name, properties, ts: 0 }, defaultTenantSettings, findings);
  return { money: money ? [money.role, money.micros, money.currency, money.orderId].filter(Boolean).join(" ") : "none", warnings: findings.warnings };
}

test.each<[string, JsonObject, string, string[]]>([
  ["purchase", { amount: 249.99, currency: "USD", orderId: "ORD-789" }, "purchase 249990000 USD ORD-789", []],
  ["Purchase", { revenue: "12.50", amount: 99 }, "purchase 12500000 USD", []],
  ["Order Completed", { total: 10, currency: " eur " }, "purchase 10000000 EUR", ["no_exchange_rate"]],
  ["purchase", { value: 0.1 }, "purchase 100000 USD", []],
  ["purchase", { amount: 0 }, "purchase 0 USD", []],
  ["purchase", { revenue: null, amount: 3 }, "purchase 3000000 USD", []],
  ["purchase", { amount: 1.0000005 }, "purchase 1000000 USD", []],
  ["purchase", { amount: 1, order_id: 42 }, "purchase 1000000 USD 42", []],
  ["purchase", { amount: 1, orderId: "", transaction_id: "t-1" }, "purchase 1000000 USD t-1", []],
  ["purchase", {}, "purchase 0 USD", ["missing_revenue"]],
  ["purchase", { amount: "12 €" }, "purchase 0 USD", ["invalid_amount"]],
  ["purchase", { amount: [1] }, "purchase 0 USD", ["invalid_amount"]],
  ["purchase", { amount: -5 }, "purchase 0 USD", ["invalid_amount"]],
  ["purchase", { amount: 1e300 }, "purchase 0 USD", ["invalid_amount"]],
  ["purchase", { amount: 1, currency: "Euro" }, "purchase 1000000 USD", ["invalid_currency"]],
  ["purchase", { amount: 1, currency: 978 }, "purchase 1000000 USD", ["invalid_currency"]],
  ["refund", { amount: 20, orderId: "o" }, "refund 20000000 USD o", []],
  ["Order Refunded", { amount: -20 }, "refund 20000000 USD", []],
  ["Refund", {}, "none", ["refund_without_amount"]],
  ["refund", { amount: "much" }, "none", ["invalid_amount"]],
  ["page_view", { amount: 5 }, "none", []],
])("%s %j is worth %s", (name, properties, money, warnings) => {
  expect(derive(name, properties)).toEqual({ money, warnings });
});

test("only tracked actions are worth something", () => {
  const findings: Findings = { errors: [], warnings: [] };
  expect(deriveMoney({ kind: "page", name: "purchase", properties: { amount: 1 }, ts: 0 }, defaultTenantSettings, findings)).toBeUndefined();
});
