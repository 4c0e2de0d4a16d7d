import { hash } from "node:crypto";
import type { TenantSettings } from "../contracts/directory.ts";
import type { KnownIdentifier } from "../contracts/identity.ts";
import { averageMicros, microsToNumber } from "../core/money.ts";
import { toIso } from "../core/time.ts";
import { totalSessions } from "./fold.ts";
import { lifecycleStage } from "./lifecycle.ts";
import type { ProfileView } from "./profile-schema.ts";
import type { ProfileState } from "./state.ts";
import { liveAttributes, traitTimes, type Traits } from "./traits.ts";

export interface ViewedProfile {
  /** Public id, `profile-…`. */
  id: string;
  state: ProfileState;
  /** Not all, when there are very many. */
  identifiers: readonly KnownIdentifier[];
  totalIdentifiers: number;
  /** Public ids of the segments it is in. */
  segments: string[];
}

/** A profile as the API answers it. `asOf` (ms) decides who has churned; `traitTimes` adds when each trait was set. */
export function profileView(
  { id, state, identifiers, totalIdentifiers, segments }: ViewedProfile,
  settings: Pick<TenantSettings, "currency" | "churnDays">,
  asOf: number,
  options: { traitTimes?: boolean } = {},
): ProfileView {
  const ranked = [...identifiers].sort(byRank);
  const primaries = new Set(primariesOf(ranked));
  const revenue = microsToNumber(state.revenue);
  return {
    id,
    externalIds: externalIds(ranked),
    attributes: liveAttributes(state.traits),
    ...(options.traitTimes && { attributeTimes: mapValues(traitTimes(state.traits), toIso) }),
    computed: {
      ltv: revenue,
      aov: state.purchases > 0 ? microsToNumber(averageMicros(state.revenue, state.purchases)) : 0,
      purchaseCount: state.purchases,
      firstSeenDate: isoOrNull(state.firstSeen),
      lastSeenDate: isoOrNull(state.lastSeen),
      lastPurchaseDate: isoOrNull(state.lastPurchase),
      churnRisk: null,
      engagementScore: null,
    },
    consent: { email: null, sms: null, tracking: null, updatedAt: null },
    segments,
    lifecycleStage: lifecycleStage(
      { hasEmailOrPhone: hasEmailOrPhone(ranked, state.traits), purchases: state.purchases, lastSeen: state.lastSeen },
      settings.churnDays,
      asOf,
    ),
    totalEvents: state.totalEvents,
    totalSessions: totalSessions(state),
    totalPurchases: state.purchases,
    totalRevenue: revenue,
    revenueByCurrency: mapValues([...state.revenueByCurrency].sort(([a], [b]) => (a < b ? -1 : 1)), microsToNumber),
    currency: settings.currency,
    identifiers: ranked.map((identifier) => viewIdentifier(identifier, primaries)),
    totalIdentifiers,
    createdAt: isoOrNull(state.createdAt),
    updatedAt: isoOrNull(state.updatedAt),
  };
}

/** Strongest first: priority, then the oldest, then the first to be numbered. */
const byRank = (a: KnownIdentifier, b: KnownIdentifier): number => b.priority - a.priority || a.createdAt - b.createdAt || a.identityId - b.identityId;

/** Known is who left an email or phone, also one that could not become an identifier. */
function hasEmailOrPhone(identifiers: readonly KnownIdentifier[], traits: Traits): boolean {
  const isKnown = (kind: string): boolean => identifiers.some((identifier) => identifier.kind === kind) || (traits.get(kind)?.value ?? null) !== null;
  return isKnown("email") || isKnown("phone");
}

function externalIds(ranked: readonly KnownIdentifier[]): ProfileView["externalIds"] {
  const valuesOf = (kind: string): string[] => ranked.flatMap((one) => (one.kind === kind && one.value !== null ? [one.value] : []));
  return {
    email: valuesOf("email")[0] ?? null,
    phone: valuesOf("phone")[0] ?? null,
    customerId: valuesOf("external_id")[0] ?? null,
    deviceIds: valuesOf("device_id"),
    anonymousIds: valuesOf("anonymous_id"),
  };
}

/** The first of each kind. */
function primariesOf(ranked: readonly KnownIdentifier[]): Iterable<KnownIdentifier> {
  const first = new Map<string, KnownIdentifier>();
  for (const identifier of ranked) if (!first.has(identifier.kind)) first.set(identifier.kind, identifier);
  return first.values();
}

function viewIdentifier(identifier: KnownIdentifier, primaries: ReadonlySet<KnownIdentifier>): ProfileView["identifiers"][number] {
  return {
    type: identifier.kind,
    value: identifier.value,
    // plain, without pepper: else no receiver could match it
    hash: identifier.value === null ? null : hash("sha256", identifier.value, "hex"),
    priority: identifier.priority,
    isPrimary: primaries.has(identifier),
    createdAt: toIso(identifier.createdAt),
  };
}

const isoOrNull = (time: number): string | null => (Number.isFinite(time) ? toIso(time) : null);

const mapValues = <A, B>(entries: Iterable<readonly [string, A]>, to: (value: A) => B): Record<string, B> =>
  Object.fromEntries([...entries].map(([name, value]) => [name, to(value)]));
