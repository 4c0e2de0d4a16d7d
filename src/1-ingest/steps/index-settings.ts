import type { Money } from "../../contracts/canonical-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";

/** A tenant's settings as the door looks them up, for each event. */
interface SettingsIndex {
  priorityOfKind: Map<string, number>;
  /** In lower case. */
  blocked: Set<string>;
  roleOfName: Map<string, Money["role"]>;
}

const indexes = new WeakMap<TenantSettings, SettingsIndex>();

/** Made once for a tenant's settings, which are replaced as a whole and never changed. */
export function indexSettings(settings: TenantSettings): SettingsIndex {
  const known = indexes.get(settings);
  if (known) return known;
  const index: SettingsIndex = {
    priorityOfKind: new Map(settings.identifierKinds.toReversed().map(({ kind, priority }) => [kind, priority])),
    blocked: new Set(settings.blockedValues.map((value) => value.toLowerCase())),
    roleOfName: new Map([
      ...settings.refundEvents.map((name) => [name, "refund"] as const),
      ...settings.purchaseEvents.map((name) => [name, "purchase"] as const),
    ]),
  };
  indexes.set(settings, index);
  return index;
}
