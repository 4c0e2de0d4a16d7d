import type { JsonObject, JsonValue } from "../../contracts/json.ts";
import type { Sent } from "../../contracts/surface.ts";
import { type Findings, isStorable, refuse } from "../findings.ts";

const traitsMax = 500;
const nameCharactersMax = 255;

const noTraits: JsonObject = Object.freeze({});

/** The traits with each of `customFields` as a trait of its own, so that each has its own last write. */
export function flattenTraits(traits: Sent<JsonObject> | undefined, findings: Findings): Readonly<JsonObject> {
  if (!traits) return noTraits;
  const flat: JsonObject = {};
  for (const [name, value] of Object.entries(traits.value)) {
    if (name !== "customFields" || !isObject(value)) flat[name] = value;
    else for (const [custom, customValue] of Object.entries(value)) flat[`customFields.${custom}`] = customValue;
  }
  checkNames(traits.field, Object.keys(flat), findings);
  return flat;
}

const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

function checkNames(field: string, names: string[], findings: Findings): void {
  if (names.length > traitsMax) return refuse(findings, field, "too_many", `must have at most ${traitsMax} entries`);
  const odd = names.find((name) => name === "" || name.length > nameCharactersMax || !isStorable(name));
  if (odd !== undefined) refuse(findings, field, "invalid_trait_name", `must have names of 1 to ${nameCharactersMax} characters without NUL`);
}
