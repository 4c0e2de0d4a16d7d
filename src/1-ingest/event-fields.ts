import Type from "typebox";
import type { JsonObject } from "../contracts/json.ts";
import type { Sent, SentIdentifier } from "../contracts/surface.ts";

/** Optional fields also take null, which SDKs send for what they do not know: it counts as missing. */
export const optionalText = (description: string, more: { minLength?: number; maxLength?: number } = {}) =>
  Type.Optional(Type.Unsafe<string | null>({ type: ["string", "null"], description, ...more }));

export const optionalObject = (description: string) =>
  Type.Optional(Type.Unsafe<JsonObject | null>({ type: ["object", "null"], description }));

export const optionalTextOrNumber = (description: string) =>
  Type.Optional(Type.Unsafe<string | number | null>({ type: ["string", "number", "null"], description }));

/** The fields by which a row names a person, on every surface that has them, and the kinds they stand for. */
const kindOfField = {
  userId: "external_id",
  customerId: "external_id",
  externalId: "external_id",
  user_id: "external_id",
  customer_id: "external_id",
  external_id: "external_id",
  email: "email",
  phone: "phone",
  deviceId: "device_id",
  device_id: "device_id",
  anonymousId: "anonymous_id",
  anonymous_id: "anonymous_id",
} as const;
type IdentifierField = keyof typeof kindOfField;
const kindOf = new Map<string, string>(Object.entries(kindOfField));

export const identifierFields: readonly string[] = [...kindOf.keys()];

/** Schemas of the identifier fields of a row and of its list `identifiers`. */
export const identifierProperties = {
  ...(Object.fromEntries([...kindOf].map(([field, kind]) => [field, optionalTextOrNumber(`Identifier of kind ${kind}.`)])) as Record<
    IdentifierField,
    ReturnType<typeof optionalTextOrNumber>
  >),
  identifiers: Type.Optional(
    Type.Unsafe<{ type: string; value?: string | number | null }[] | null>({
      type: ["array", "null"],
      description: "Identifiers by type: external_id, email, phone, device_id, anonymous_id or a kind of the tenant's own.",
      items: Type.Object({ type: Type.String(), value: optionalTextOrNumber("The identifier.") }),
    }),
  ),
};

/** The ids of an event, in the order in which the first one given is taken. */
export const idProperties = {
  eventId: optionalText("Sent again with the same id, the event counts once.", { maxLength: 255, minLength: 1 }),
  messageId: optionalText("The same as eventId.", { maxLength: 255, minLength: 1 }),
  idempotency_key: optionalText("The same as eventId.", { maxLength: 255, minLength: 1 }),
};

/** A field that was sent, with its name; undefined when it is missing or null. */
export function sent<T>(field: string, value: T | null | undefined): Sent<T> | undefined {
  return value === null || value === undefined ? undefined : { field, value };
}

/** The identifiers that a row names in fields of their own. */
export function readIdentifierFields(row: Record<string, unknown>, fields: readonly string[], prefix = ""): SentIdentifier[] {
  const identifiers: SentIdentifier[] = [];
  for (const field of fields) {
    const value = row[field];
    if (typeof value !== "string" && typeof value !== "number") continue;
    identifiers.push({ field: prefix + field, kind: kindOf.get(field) ?? field, value });
  }
  return identifiers;
}

/** The identifiers of a list `[{type, value}]`; a type may be written as the field of that name is. */
export function readIdentifierList(list: { type: string; value?: string | number | null }[] | null | undefined): SentIdentifier[] {
  const identifiers: SentIdentifier[] = [];
  for (const [index, { type, value }] of (list ?? []).entries()) {
    if (value === null || value === undefined) continue;
    identifiers.push({ field: `identifiers[${index}].value`, kind: kindOf.get(type) ?? type, kindField: `identifiers[${index}].type`, value });
  }
  return identifiers;
}
