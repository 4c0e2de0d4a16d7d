import { expect, test } from "vitest";
import { lifecycleStage, type LifecycleStage } from "./lifecycle.ts";

const rows: [contact: "contact" | "none", purchases: number, daysInactive: number, stage: LifecycleStage][] = [
  ["none", 0, 0, "anonymous"],
  ["none", 0, 400, "anonymous"],
  ["contact", 0, 0, "known"],
  ["contact", 0, 89, "known"],
  ["contact", 0, 90, "churned"],
  ["contact", 3, 89, "customer"],
  ["contact", 3, 90, "churned"],
  ["none", 1, 10, "customer"],
  ["none", 1, 90, "churned"],
];

test.each(rows)("contact: %s, %d purchases, inactive for %d days: %s", (contact, purchases, daysInactive, stage) => {
  const asOf = Date.UTC(2026, 5, 1);
  const lastSeen = asOf - daysInactive * 86_400_000;
  expect(lifecycleStage({ hasEmailOrPhone: contact === "contact", purchases, lastSeen }, 90, asOf)).toBe(stage);
});

test("after how many days one has churned is a setting", () => {
  const asOf = Date.UTC(2026, 5, 1);
  expect(lifecycleStage({ hasEmailOrPhone: true, purchases: 0, lastSeen: asOf - 30 * 86_400_000 }, 30, asOf)).toBe("churned");
});
