import type { JsonObject, JsonValue } from "../contracts/json.ts";
import type { Queries } from "../stores/postgres/db.ts";
import { publicIds, type World } from "./pipeline-harness.ts";
import type { ReferenceProfile } from "./reference-model.ts";

// Profiles as the API shows them, in the form of the reference.

interface Shown {
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

/** Public id → profile, of all of a tenant's profiles that have events. */
export async function readProfiles(world: World, tenantId: number, members: Map<number, string[]>): Promise<Map<string, ReferenceProfile>> {
  const profiles = new Map<string, ReferenceProfile>();
  for (const [profileId, identifiers] of members) {
    const id = publicIds.encode("profile", tenantId, profileId);
    const shown = await get<Shown>(world, tenantId, `/api/cdp/profiles/${id}?traitTimes=true`);
    if (shown.totalEvents === 0) continue;
    const events = await get<{ eventId: string }[]>(world, tenantId, `/api/cdp/profiles/${id}/events?limit=1000`);
    profiles.set(id, { identifiers, eventIds: events.map(({ eventId }) => eventId), ...toReference(shown, tenantId) });
  }
  return profiles;
}

/** Answers the data of a response; one that failed throws with its status. */
export async function get<T>(world: World, tenantId: number, url: string): Promise<T> {
  const answer = await world.process.app.inject({ url, headers: { tenant: String(tenantId) } });
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${answer.body}`);
  return answer.json<{ data: T }>().data;
}

function toReference(shown: Shown, tenantId: number): Omit<ReferenceProfile, "identifiers" | "eventIds"> {
  const { attributes, attributeTimes, computed } = shown;
  const time = (text: string): number => Date.parse(text);
  const valueOf = (name: string): JsonValue =>
    (name.startsWith("customFields.") ? attributes.customFields[name.slice("customFields.".length)] : attributes[name]) as JsonValue;
  return {
    totalEvents: shown.totalEvents,
    totalSessions: shown.totalSessions,
    totalPurchases: shown.totalPurchases,
    revenue: toMicros(shown.totalRevenue),
    revenueByCurrency: Object.fromEntries(Object.entries(shown.revenueByCurrency).map(([currency, amount]) => [currency, toMicros(amount)])),
    firstSeen: time(computed.firstSeenDate),
    lastSeen: time(computed.lastSeenDate),
    lastPurchase: computed.lastPurchaseDate === null ? undefined : time(computed.lastPurchaseDate),
    createdAt: time(shown.createdAt),
    updatedAt: time(shown.updatedAt),
    traits: Object.fromEntries(Object.entries(attributeTimes).map(([name, set]) => [name, { value: valueOf(name), ts: time(set) }])),
    segments: shown.segments.map((id) => (publicIds.decode("segment", tenantId, id) === 2 ? "pro_plan" : id)),
  };
}

const toMicros = (amount: number): bigint => BigInt(Math.round(amount * 1_000_000));

/** Profile → names of its members, of all identities of a tenant. */
export async function readMembers(q: Queries, tenantId: number): Promise<Map<number, string[]>> {
  const rows = await q.query<{ profileId: number; name: string }>(
    `select profile_id as "profileId", entity || ' ' || kind || ':' || convert_from(substr(sealed, 2), 'utf8') as name
       from identity where tenant_id = $1`,
    [tenantId],
  );
  return new Map([...Map.groupBy(rows, ({ profileId }) => profileId)].map(([id, own]) => [id, own.map(({ name }) => name).sort()]));
}
