import type { EventKind, Identifier } from "../../contracts/canonical-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";
import type { JsonObject } from "../../contracts/json.ts";
import type { SentIdentifier } from "../../contracts/surface.ts";
import { isBlocked } from "./normalise-identifiers.ts";
import { normaliseValue } from "./normalise-value.ts";

const identifyingTraits = ["email", "phone"];

/** The identifiers that the traits of an identify carry: an e-mail and a phone known of a customer also identify. */
export function identifiersOfTraits(kind: EventKind, field: string, traits: Readonly<JsonObject>): SentIdentifier[] {
  if (kind !== "identify") return [];
  return identifyingTraits.flatMap((name) => {
    const value = Object.hasOwn(traits, name) ? traits[name] : undefined;
    return typeof value === "string" || typeof value === "number" ? [{ field: `${field}.${name}`, kind: name, value }] : [];
  });
}

/**
 * Sets the traits `email` and `phone`: as sent among the traits, but normalised where that can be read, else by the
 * event's identifiers. A phone number that cannot be read identifies nobody and still is what the customer gave.
 */
export function joinTraits(traits: Readonly<JsonObject>, identifiers: Identifier[], sent: SentIdentifier[], settings: TenantSettings): JsonObject | undefined {
  const joined: JsonObject = { ...traits };
  for (const name of identifyingTraits) {
    if (Object.hasOwn(traits, name)) {
      const value = traits[name];
      if (typeof value === "string" || typeof value === "number") joined[name] = normaliseValue(name, String(value), settings) ?? value;
      continue;
    }
    const known = identifiers.find((identifier) => identifier.kind === name)?.value ?? (name === "phone" ? unreadablePhone(sent, settings) : undefined);
    if (known !== undefined) joined[name] = known;
  }
  for (const _any in joined) return joined;
  return undefined;
}

function unreadablePhone(sent: SentIdentifier[], settings: TenantSettings): string | undefined {
  for (const { kind, value } of sent) {
    const text = kind === "phone" ? String(value).trim() : "";
    if (text !== "" && !isBlocked(text, settings)) return text;
  }
  return undefined;
}
