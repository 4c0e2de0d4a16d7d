import { Type, type Static } from "typebox";

const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = Type.String({ format: "date-time" });
const money = (description: string) => Type.Number({ description: `${description}, in \`currency\`` });

/** A profile as the API answers it. Declared once: validation, documentation and clients derive from it. */
export const ProfileView = Type.Object({
  id: Type.String({ description: "Opaque, `profile-…`" }),
  externalIds: Type.Object({
    email: nullable(Type.String()),
    phone: nullable(Type.String()),
    customerId: nullable(Type.String()),
    deviceIds: Type.Array(Type.String()),
    anonymousIds: Type.Array(Type.String()),
  }),
  attributes: Type.Object(
    { tags: Type.Array(Type.Unknown()), customFields: Type.Record(Type.String(), Type.Unknown()) },
    { additionalProperties: true, description: "Traits, last write wins for each" },
  ),
  attributeTimes: Type.Optional(Type.Record(Type.String(), time, { description: "Event time that set each trait, on request" })),
  computed: Type.Object({
    ltv: money("Purchases minus refunds"),
    aov: money("ltv per purchase, 0 without one"),
    purchaseCount: Type.Integer(),
    firstSeenDate: nullable(time),
    lastSeenDate: nullable(time),
    lastPurchaseDate: nullable(time),
    churnRisk: Type.Null({ description: "Null until predicted" }),
    engagementScore: Type.Null({ description: "Null until predicted" }),
  }),
  consent: Type.Object({
    email: nullable(Type.Boolean()),
    sms: nullable(Type.Boolean()),
    tracking: nullable(Type.Boolean()),
    updatedAt: nullable(time),
  }),
  segments: Type.Array(Type.String(), { description: "Ids of the segments the profile is in, `segment-…`" }),
  lifecycleStage: Type.Enum(["anonymous", "known", "customer", "churned"]),
  totalEvents: Type.Integer(),
  totalSessions: Type.Integer(),
  totalPurchases: Type.Integer(),
  totalRevenue: money("The same as computed.ltv"),
  revenueByCurrency: Type.Record(Type.String(), Type.Number(), { description: "Per currency as sent, before conversion" }),
  currency: Type.String({ description: "ISO 4217" }),
  identifiers: Type.Array(
    Type.Object({
      type: Type.String(),
      value: nullable(Type.String({ description: "Null once redacted" })),
      hash: nullable(Type.String({ description: "SHA-256 of the normalised value, hex" })),
      priority: Type.Number(),
      isPrimary: Type.Boolean({ description: "The strongest of its type" }),
      createdAt: time,
    }),
    { description: "The strongest 1,000, the first of each type among them; externalIds are of these" },
  ),
  totalIdentifiers: Type.Integer({ description: "Of the profile, shown or not" }),
  createdAt: nullable(time),
  updatedAt: nullable(time),
});

export type ProfileView = Static<typeof ProfileView>;
