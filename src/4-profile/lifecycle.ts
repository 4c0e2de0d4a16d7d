export type LifecycleStage = "anonymous" | "known" | "customer" | "churned";

const dayMs = 86_400_000;

/**
 * Where a person stands at `asOf` (ms): `customer` after a purchase, `known` once an email or phone is known, either of
 * them `churned` after `churnDays` without an event, else `anonymous`, who never churns. Computed, never stored.
 */
export function lifecycleStage(
  profile: { hasEmailOrPhone: boolean; purchases: number; lastSeen: number },
  churnDays: number,
  asOf: number,
): LifecycleStage {
  const isCustomer = profile.purchases > 0;
  if (!isCustomer && !profile.hasEmailOrPhone) return "anonymous";
  if (asOf - profile.lastSeen >= churnDays * dayMs) return "churned";
  return isCustomer ? "customer" : "known";
}
