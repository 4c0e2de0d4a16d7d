import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { createSchemaCheck } from "../core/check-schema.ts";
import { ApiError, type FieldError } from "../core/errors.ts";

/** A body schema with this key set to true only documents: the route checks the body itself. */
export const checkedByRoute = "x-checked-by-route";

interface Property {
  type?: string;
  default?: unknown;
}

type Flat = Record<string, unknown>;
type Check = (value: unknown) => { value: unknown } | { error: ApiError };

/** A text of the query or path as the number or boolean that the schema wants; anything else stays, for the check to refuse. */
function readText(text: string, type: string | undefined): unknown {
  if (type === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === "number" && /^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** The query or path with its texts read and its defaults filled in. */
function readTexts(properties: Record<string, Property>, given: Flat): Flat {
  const read: Flat = { ...given };
  for (const [name, { type, default: fallback }] of Object.entries(properties)) {
    const value = read[name];
    if (typeof value === "string") read[name] = type === "array" ? [value] : readText(value, type);
    else if (value === undefined && fallback !== undefined) read[name] = fallback;
  }
  return read;
}

/** One error for all that is wrong: 400 when a type is, else 422. */
function invalidRequest(details: FieldError[]): ApiError {
  const code = details.some(({ reason }) => reason === "wrong_type") ? "invalid_type" : "validation_failed";
  const more = details.length > 1 ? ` (and ${details.length - 1} more)` : "";
  return new ApiError(code, `${details[0]?.message ?? "The request is not valid"}${more}`, { details });
}

/** Fastify's validation on TypeBox schemas. Only query and path are text to be read; a body is taken as it came. */
export const compileCheck: FastifySchemaCompiler<TSchema & { properties?: Record<string, Property>; [checkedByRoute]?: boolean }> = ({
  schema, httpPart,
}): Check => {
  if (schema[checkedByRoute] === true) return (value) => ({ value });
  const check = createSchemaCheck(schema, httpPart === "body" ? "body" : (httpPart ?? "request"));
  const read = httpPart === "body" ? (value: unknown): unknown => value : (value: unknown) => readTexts(schema.properties ?? {}, value as Flat);
  return (given) => {
    const value = read(given);
    const details = check(value);
    return details ? { error: invalidRequest(details) } : { value };
  };
};
