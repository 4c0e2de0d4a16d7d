import type { EventKind } from "../../contracts/canonical-event.ts";
import type { JsonObject } from "../../contracts/json.ts";

/** The ways into a tenant, each a source of its own: `api` and `import` apply what is late, `quarantine` and `stream` hold it. */
export const doors = ["api", "import", "quarantine", "stream"] as const;
export type Door = (typeof doors)[number];

/** An event as its sender knows it: the API's row and the model's canonical event both follow from it. Times are milliseconds. */
export interface Draft {
  door: Door;
  eventId: string;
  kind: EventKind;
  name: string;
  /** The time of arrival when missing. */
  ts?: number;
  /** Normalised already. */
  identifiers: { kind: string; value: string }[];
  /** A customer by the id of its profile, and the one identifier that this number was made for: `person email:a@example.com`. */
  profile?: { publicId: string; name: string };
  traits?: JsonObject;
  properties: JsonObject;
  sessionId?: string;
  money?: { role: "purchase" | "refund"; cents: number; currency: string; orderId?: string };
}

const moneyProperties = ({ cents, currency, orderId }: NonNullable<Draft["money"]>): JsonObject => ({
  amount: cents / 100, currency, ...(orderId !== undefined && { orderId }),
});

/** Properties as sent and as history shows them. */
export const propertiesOf = (draft: Draft): JsonObject => ({ ...draft.properties, ...(draft.money && moneyProperties(draft.money)) });

const streamFields: Record<string, string> = { external_id: "userId", email: "email", anonymous_id: "anonymousId" };

/** Whether the route of STREAM can say it. */
export const isStreamable = ({ kind, identifiers, sessionId, profile }: Draft): boolean =>
  ["identify", "track", "alias"].includes(kind) && sessionId === undefined && profile === undefined && identifiers.every((one) => streamFields[one.kind] !== undefined)
  && new Set(identifiers.map((one) => one.kind)).size === identifiers.length;

const iso = (ts: number | undefined): string | undefined => (ts === undefined ? undefined : new Date(ts).toISOString());

/** The row of an event as its door takes it. */
export function rowOf(draft: Draft): object {
  const { door, eventId, kind, name, ts, identifiers, traits, sessionId } = draft;
  const properties = propertiesOf(draft);
  if (door === "stream") {
    const fields = Object.fromEntries(identifiers.map((one) => [streamFields[one.kind], one.value]));
    return { eventId, ts: iso(ts), payload: { type: kind.toUpperCase(), ...fields, ...(kind === "track" && { name }), traits, properties } };
  }
  const list = identifiers.map((one) => ({ type: one.kind, value: one.value }));
  return { eventId, type: kind === "track" ? name : kind, timestamp: iso(ts), identifiers: list, profileId: draft.profile?.publicId, traits, properties, sessionId };
}
