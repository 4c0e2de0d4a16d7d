import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import type { FieldError } from "../contracts/field-error.ts";

type SchemaError = ReturnType<Validator["Errors"]>[number];

const article: Record<string, string> = {
  string: "a string", number: "a number", boolean: "true or false", object: "an object", array: "an array", integer: "a whole number",
};

/**
 * Compiles a schema to a check that answers what is wrong with a value, or undefined. `root` names the value itself.
 * At most eight errors (TypeBox stops there). A wrong JSON type has the reason `wrong_type`, the one that is answered 400;
 * every other reason is a broken rule.
 */
export function createSchemaCheck(schema: TSchema, root: string): (value: unknown) => FieldError[] | undefined {
  const validator = Compile(schema);
  return function checkSchema(value) {
    if (validator.Check(value)) return undefined;
    const errors = validator.Errors(value);
    const own = errors.filter(isOwnError);
    return (own.length > 0 ? own : errors).flatMap((error) => toFieldErrors(error, root, schema));
  };
}

/** A FieldError whose sentence begins with the field, so that it also reads alone. */
export const fieldError = (field: string, reason: string, rule: string): FieldError => ({ field, reason, message: `${field} ${rule}` });

/** A union also lists what each of its branches would have wanted; its own error is enough. */
const isOwnError = (error: SchemaError): boolean => !/\/(anyOf|oneOf)\/\d+/.test(error.schemaPath);

function toFieldErrors(error: SchemaError, root: string, schema: TSchema): FieldError[] {
  const path = toPath(error.instancePath);
  const field = path || root;
  if (error.keyword === "required") {
    return error.params.requiredProperties.map((name) => fieldError(path ? `${path}.${name}` : name, "required", "is required"));
  }
  const described = error.keyword === "pattern" ? descriptionAt(schema, error.schemaPath) : undefined;
  const [reason, rule] = described === undefined ? ruleOf(error) : ["invalid", `must be ${described}`];
  return [fieldError(field, reason, rule)];
}

/** What a pattern wants, in its author's words: the description of the schema that has it. */
function descriptionAt(schema: TSchema, path: string): string | undefined {
  const at = path.split("/").slice(1).reduce<unknown>((inner, part) => (inner as Record<string, unknown> | undefined)?.[part], schema);
  return (at as { description?: string } | undefined)?.description;
}

function ruleOf(error: SchemaError): [reason: string, rule: string] {
  switch (error.keyword) {
    case "type":
      return ["wrong_type", `must be ${[error.params.type].flat().filter((t) => t !== "null").map((t) => article[t] ?? t).join(" or ")}`];
    case "enum":
      return ["not_allowed", `must be one of ${error.params.allowedValues.join(", ")}`];
    case "maxLength":
      return ["too_long", `must have at most ${error.params.limit} characters`];
    case "maxItems":
      return ["too_many", `must have at most ${error.params.limit} entries`];
    case "minLength":
    case "minItems":
      return ["empty", "must not be empty"];
    case "minimum":
    case "exclusiveMinimum":
      return ["too_small", error.message];
    case "maximum":
    case "exclusiveMaximum":
      return ["too_large", error.message];
    case "format":
      return ["wrong_format", `must be a valid ${error.params.format}`];
    default:
      return ["invalid", error.message];
  }
}

/** `/identifiers/0/type` as people write it: `identifiers[0].type`. */
function toPath(pointer: string): string {
  return pointer.split("/").slice(1).map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join("").replace(/^\./, "");
}
