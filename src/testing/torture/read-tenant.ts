import type { JsonObject, JsonValue } from "../../contracts/json.ts";
import type { ReferenceProfile } from "../reference-model.ts";
import { type Tenant, publicIds } from "./open-tenant.ts";

// What the public API shows of a tenant, in the form of the reference model.

/** An event in history. */
export interface EventShown {
  eventId: string;
  profileId: string | null;
  type: string;
  kind: string;
  timestamp: string;
  receivedAt: string;
  properties: JsonObject;
  traits: JsonObject | null;
  identifiers: { type: string; value: string }[];
  sessionId: string | null;
  sourceId: string | null;
  late: boolean;
  historical: boolean;
}

/** An event in quarantine. */
export interface HeldShown {
  eventId: string;
  sourceId: string | null;
  status: string;
  reason: string;
  timestamp: string;
  receivedAt: string;
}

interface ProfileShown {
  id: string;
  attributes: JsonObject & { customFields: JsonObject };
  attributeTimes: Record<string, string>;
  computed: { firstSeenDate: string; lastSeenDate: string; lastPurchaseDate: string | null };
  totalEvents: number;
  totalSessions: number;
  totalPurchases: number;
  totalRevenue: number;
  revenueByCurrency: Record<string, number>;
  identifiers: { type: string; value: string }[];
  createdAt: string;
  updatedAt: string;
  segments: string[];
}

const readersMax = 4;

/** Public id → profile, of all that have events; `history` has the tenant's events, newest first. */
export async function readProfiles({ client, tenantId }: Tenant, history: readonly EventShown[]): Promise<Map<string, ReferenceProfile>> {
  const events = Map.groupBy(history, (event) => event.profileId ?? "nobody");
  const queue = [...events.keys()];
  const profiles = new Map<string, ReferenceProfile>();
  const readOn = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      const shown = await client.read<ProfileShown>(`/api/cdp/profiles/${id}?traitTimes=true`);
      profiles.set(id, { ...toReference(shown, tenantId), eventIds: (events.get(id) ?? []).map(({ eventId }) => eventId) });
    }
  };
  await Promise.all(Array.from({ length: readersMax }, readOn));
  return profiles;
}

function toReference(shown: ProfileShown, tenantId: number): Omit<ReferenceProfile, "eventIds"> {
  const { attributes, attributeTimes, computed } = shown;
  const custom = "customFields.";
  const valueOf = (name: string): JsonValue => (name.startsWith(custom) ? attributes.customFields[name.slice(custom.length)] : attributes[name]) as JsonValue;
  return {
    identifiers: shown.identifiers.map(({ type, value }) => `person ${type}:${value}`).sort(),
    totalEvents: shown.totalEvents,
    totalSessions: shown.totalSessions,
    totalPurchases: shown.totalPurchases,
    revenue: toMicros(shown.totalRevenue),
    revenueByCurrency: Object.fromEntries(Object.entries(shown.revenueByCurrency).map(([currency, amount]) => [currency, toMicros(amount)])),
    firstSeen: Date.parse(computed.firstSeenDate),
    lastSeen: Date.parse(computed.lastSeenDate),
    lastPurchase: computed.lastPurchaseDate === null ? undefined : Date.parse(computed.lastPurchaseDate),
    createdAt: Date.parse(shown.createdAt),
    updatedAt: Date.parse(shown.updatedAt),
    traits: Object.fromEntries(Object.entries(attributeTimes).map(([name, set]) => [name, { value: valueOf(name), ts: Date.parse(set) }])),
    segments: shown.segments.map((id) => (publicIds.decode("segment", tenantId, id) === 2 ? "pro_plan" : id)),
  };
}

const toMicros = (amount: number): bigint => BigInt(Math.round(amount * 1_000_000));
