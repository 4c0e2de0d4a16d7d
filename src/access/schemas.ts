import Type, { type TSchema } from "typebox";

/** Not blank, and nothing that a terminal or a database would choke on. */
const Name = Type.String({
  maxLength: 100,
  pattern: "^[^\\u0000-\\u001f\\u007f]*[^\\s\\u0000-\\u001f\\u007f][^\\u0000-\\u001f\\u007f]*$",
  description: "a text that is not blank, without control characters",
});
const LatePolicy = Type.Enum(["apply", "quarantine"], { description: "What becomes of events beyond the grace period." });
const Time = Type.String({ format: "date-time" });
const Once = (what: string) => Type.String({ description: `${what}. Shown this once, only its hash is kept.` });

const answer = <T extends TSchema>(data: T) => Type.Object({ success: Type.Literal(true), data });
const list = <T extends TSchema>(row: T) => Type.Object({
  success: Type.Literal(true),
  data: Type.Array(row),
  meta: Type.Object({ nextCursor: Type.Union([Type.String(), Type.Null()]), total: Type.Integer() }),
});

export const NewNamed = Type.Object({ name: Name });
export const NewSource = Type.Object({ name: Name, latePolicy: Type.Optional(LatePolicy) });
export const ListQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  cursor: Type.Optional(Type.String({ description: "nextCursor of the page before." })),
});
export const KeyParams = Type.Object({ keyId: Type.String({ maxLength: 100 }) });

const Tenant = Type.Object({ tenantId: Type.String(), name: Type.String(), createdAt: Time });
const Source = Type.Object({ sourceId: Type.String(), name: Type.String(), latePolicy: LatePolicy, builtIn: Type.Boolean(), createdAt: Time });
const Key = Type.Object({ keyId: Type.String(), name: Type.String(), admin: Type.Boolean(), createdAt: Time });

export const TenantList = list(Tenant);
export const SourceList = list(Source);
export const KeyList = list(Key);
export const CreatedTenant = answer(Type.Object({ tenantId: Type.String(), name: Type.String(), apiKey: Once("The tenant's first API key") }));
export const CreatedSource = answer(Type.Object({ ...Source.properties, writeKey: Once("The source's write key") }));
export const CreatedKey = answer(Type.Object({ ...Key.properties, apiKey: Once("The API key") }));
