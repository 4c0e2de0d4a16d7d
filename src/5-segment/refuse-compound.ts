import type { JsonValue } from "../contracts/json.ts";

/** What an operator that compares single values says of an expected one: a list, an object or nothing is none. */
export function refuseCompound(expected: JsonValue | undefined): string | undefined {
  return ["string", "number", "boolean"].includes(typeof expected) ? undefined : "must be a string, a number, true or false";
}
