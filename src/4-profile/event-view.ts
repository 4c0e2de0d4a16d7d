import { Type, type Static } from "typebox";
import type { Directory } from "../contracts/directory.ts";
import { toIso } from "../core/time.ts";
import type { EventRow } from "./queries/list-events.ts";
import type { SealedPart } from "./steps/write-history.ts";

const Json = Type.Record(Type.String(), Type.Unknown());

/** An event as the API shows it. */
export const EventView = Type.Object({
  eventId: Type.String(),
  profileId: Type.Union([Type.String(), Type.Null()], { description: "Null when the event named no usable identifier" }),
  type: Type.String({ description: "Event name" }),
  kind: Type.String({ description: "identify, track, alias, page, screen, group, merge, consent; system for what Tributary did" }),
  timestamp: Type.String({ description: "Event time, ISO-8601" }),
  receivedAt: Type.String(),
  properties: Json,
  context: Json,
  traits: Type.Union([Json, Type.Null()]),
  identifiers: Type.Array(Type.Object({ type: Type.String(), value: Type.String() })),
  sessionId: Type.Union([Type.String(), Type.Null()]),
  deviceId: Type.Union([Type.String(), Type.Null()]),
  source: Type.Union([Type.String(), Type.Null()], { description: "context.source as sent" }),
  sourceId: Type.Union([Type.String(), Type.Null()]),
  status: Type.Literal("processed"),
  late: Type.Boolean(),
  historical: Type.Boolean(),
  revenue: Type.Union([Type.Object({ amount: Type.Number(), currency: Type.String() }), Type.Null()]),
  emqScore: Type.Number({ description: "Event match quality, 0 to 1" }),
  warnings: Type.Array(Type.String()),
});

export function eventView(row: EventRow, profileId: string | null, tenantId: number, directory: Directory): Static<typeof EventView> {
  const { identifiers, traits, ip } = JSON.parse(row.sealed.slice(1)) as SealedPart;
  const context = JSON.parse(row.context) as Record<string, unknown>;
  const amount = Number(row.amount);
  return {
    eventId: row.eventId,
    profileId,
    type: row.name,
    kind: row.kind,
    timestamp: toIso(row.ts),
    receivedAt: toIso(row.receivedAt),
    properties: JSON.parse(row.properties) as Record<string, unknown>,
    context: ip === undefined ? context : { ...context, ip },
    traits: traits ?? null,
    identifiers: identifiers.filter(({ kind }) => kind !== "profile").map(({ kind, value }) => ({ type: kind, value })),
    sessionId: row.sessionId || null,
    deviceId: identifiers.find(({ kind }) => kind === "device_id")?.value ?? null,
    source: typeof context.source === "string" ? context.source : null,
    sourceId: directory.source(tenantId, row.source)?.publicId ?? null,
    status: "processed",
    late: row.late,
    historical: row.historical,
    revenue: row.role === "" ? null : { amount: row.role === "refund" ? -amount : amount, currency: row.currency },
    emqScore: row.emq,
    warnings: row.warnings,
  };
}
