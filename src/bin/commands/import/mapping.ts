import Type, { type Static } from "typebox";
import Value from "typebox/value";

const strict = { additionalProperties: false };
const Name = Type.String({ minLength: 1 });
const constant = Type.Object({ value: Type.Unknown() }, strict);

/** Where a value comes from: a field by its name, a field with the type it must have, or a constant. */
const Source = Type.Union([
  Name,
  Type.Object({ field: Name, type: Type.Optional(Type.Enum(["string", "number", "boolean", "json"])) }, strict),
  constant,
]);

const Timestamp = Type.Union([Name, Type.Object({ field: Name, format: Type.Optional(Type.Enum(["iso", "unix", "unix_ms"])) }, strict)]);

/** How a row becomes an event. Documented in docs/import.md. */
const MappingSchema = Type.Object(
  {
    event: Type.Union([Name, Type.Object({ field: Name }, strict)]),
    eventId: Type.Optional(Type.Array(Type.Union([Name, constant]), { minItems: 1 })),
    timestamp: Type.Optional(Timestamp),
    identifiers: Type.Record(Type.String(), Source, { minProperties: 1 }),
    properties: Type.Optional(Type.Record(Type.String(), Source)),
    traits: Type.Optional(Type.Record(Type.String(), Source)),
    context: Type.Optional(Type.Record(Type.String(), Source)),
    sessionId: Type.Optional(Source),
    historical: Type.Optional(Type.Boolean()),
    source: Type.Optional(Name),
  },
  strict,
);

export type Mapping = Static<typeof MappingSchema>;
export type ValueSource = Static<typeof Source>;

const shapes: Record<string, string> = {
  event: 'must be an event name, or {"field"}',
  eventId: 'must be a list of field names or {"value"} constants',
  timestamp: 'must be a field name, or {"field","format"} with format iso, unix or unix_ms',
  historical: "must be true or false",
  source: "must be a name",
};
const valueShape = 'must be a field name, {"field","type"} with type string, number, boolean or json, or {"value"}';
const groups = ["identifiers", "properties", "traits", "context"];
const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"]);

/** The mapping, or one sentence for each setting that is wrong, beginning with the setting's path. */
export function parseMapping(input: unknown): { mapping: Mapping } | { problems: string[] } {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return { problems: ["the mapping must be a JSON object"] };
  const problems = Object.entries(input).flatMap(([name, setting]) => settingProblems(name, setting));
  for (const name of MappingSchema.required) if (!Object.hasOwn(input, name)) problems.push(`${name}: is missing`);
  return problems.length > 0 ? { problems } : { mapping: input as Mapping };
}

function settingProblems(name: string, setting: unknown): string[] {
  if (!Object.hasOwn(MappingSchema.properties, name)) {
    return [`${name}: is no setting; there are ${Object.keys(MappingSchema.properties).join(", ")}`];
  }
  const schema = MappingSchema.properties[name as keyof Mapping];
  if (!groups.includes(name)) return Value.Check(schema, setting) ? [] : [`${name}: ${shapes[name] ?? valueShape}`];
  if (typeof setting !== "object" || setting === null || Array.isArray(setting)) return [`${name}: must be an object of names and their values`];
  if (name === "identifiers" && Object.keys(setting).length === 0) return ["identifiers: must name at least one identifier"];
  return Object.entries(setting).flatMap(([key, source]) => valueProblems(`${name}.${key}`, key, source, Object.keys(setting)));
}

function valueProblems(path: string, key: string, source: unknown, siblings: string[]): string[] {
  if (key.split(".").some((part) => part === "" || forbiddenKeys.has(part))) return [`${path}: is no usable name`];
  const inside = siblings.find((other) => other.startsWith(`${key}.`));
  if (inside) return [`${path}: cannot be a value and also hold ${inside}`];
  return Value.Check(Source, source) ? [] : [`${path}: ${valueShape}`];
}

/** Every field of the file that the mapping reads, for checking a CSV header. */
export function mappedFields(mapping: Mapping): string[] {
  const sources: unknown[] = [mapping.timestamp, ...(mapping.eventId ?? []), mapping.sessionId];
  for (const group of [mapping.identifiers, mapping.properties, mapping.traits, mapping.context]) sources.push(...Object.values(group ?? {}));
  if (typeof mapping.event === "object") sources.push(mapping.event);
  const fields = sources.map((source) => (typeof source === "string" ? source : (source as { field?: string } | undefined)?.field));
  return [...new Set(fields.filter((field) => field !== undefined))];
}
