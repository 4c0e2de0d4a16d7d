import type { JsonObject, JsonValue } from "../../../contracts/json.ts";

/**
 * A mapping with `--set PATH=VALUE` applied over it, in order: `event=purchase`, `identifiers.external_id=customer_id`,
 * `properties.amount={"field":"value","type":"number"}`. The part after the first dot is one name, dots included.
 * Throws on a flag without `=`.
 */
export function applyMappingFlags(mapping: JsonObject, flags: string[]): JsonObject {
  let result = mapping;
  for (const flag of flags) {
    const at = flag.indexOf("=");
    if (at < 1) throw new Error(`--set ${flag}: expected PATH=VALUE, for example --set event=purchase`);
    result = withValue(result, flag.slice(0, at), parseFlagValue(flag.slice(at + 1)));
  }
  return result;
}

function withValue(mapping: JsonObject, path: string, value: JsonValue): JsonObject {
  const dot = path.indexOf(".");
  if (dot < 0) return { ...mapping, [path]: value };
  const group = path.slice(0, dot);
  const existing = mapping[group];
  const base = typeof existing === "object" && existing !== null && !Array.isArray(existing) ? existing : {};
  return { ...mapping, [group]: { ...base, [path.slice(dot + 1)]: value } };
}

/** Objects, lists and booleans are JSON; everything else is text, so that a column may be called `7`. */
function parseFlagValue(text: string): JsonValue {
  if (!/^([[{]|true$|false$)/.test(text)) return text;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new Error(`--set …=${text}: is no valid JSON`);
  }
}
