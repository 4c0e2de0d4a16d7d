import type { Identifier } from "../../contracts/canonical-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";
import type { FieldError } from "../../contracts/field-error.ts";
import type { Draft, Sent, SentIdentifier } from "../../contracts/surface.ts";
import { type Findings, isStorable, refuse, warn } from "../findings.ts";
import { indexSettings } from "./index-settings.ts";
import { normaliseValue } from "./normalise-value.ts";

const identifiersMax = 20;
const charactersMax = 1024;
const onlyZeros = /^[0-]*$/;

interface Lookups {
  settings: TenantSettings;
  /** Identity number of a public profile id of this tenant. */
  decodeProfile(publicId: string): number | undefined;
  nobody: FieldError;
}

/**
 * The usable identifiers of an event, normalised, once each, strongest first. `spokenFor` are those that its traits name.
 * A value that is blocked or unreadable costs only itself; a row that names nobody at all is refused.
 */
export function normaliseIdentifiers(draft: Draft, spokenFor: SentIdentifier[], lookups: Lookups, findings: Findings): Identifier[] {
  const sent = spokenFor.length > 0 ? [...draft.identifiers, ...spokenFor] : draft.identifiers;
  const tooMany = sent[identifiersMax];
  if (tooMany) refuse(findings, tooMany.field, "too_many", `is one identifier too many: an event has at most ${identifiersMax}`);
  const usable: Identifier[] = [];
  let named = 0;
  for (const identifier of tooMany ? sent.slice(0, identifiersMax) : sent) {
    const text = readText(identifier, findings);
    if (text === "") continue;
    named++;
    const value = text === undefined ? undefined : normalise(identifier, text, lookups.settings, findings);
    if (value !== undefined && !usable.some((known) => known.kind === identifier.kind && known.value === value)) {
      usable.push({ entity: "person", kind: identifier.kind, value });
    }
  }
  const profile = draft.profileId && findProfile(draft.profileId, lookups, findings);
  if (named === 0 && !draft.profileId) findings.errors.push(lookups.nobody);
  else if (!profile && usable.length === 0) warn(findings, "no_identifier");
  sortByPriority(usable, lookups.settings);
  return profile ? [profile, ...usable] : usable;
}

/** Strongest first; of equal ones, as sent. Surfaces list the strong kinds first, so that there is seldom anything to sort. */
function sortByPriority(usable: Identifier[], settings: TenantSettings): void {
  const { priorityOfKind } = indexSettings(settings);
  const priorityAt = (i: number): number => priorityOfKind.get(usable[i]?.kind ?? "") ?? 0;
  for (let i = 1; i < usable.length; i++) {
    if (priorityAt(i) > priorityAt(i - 1)) return void usable.sort((a, b) => (priorityOfKind.get(b.kind) ?? 0) - (priorityOfKind.get(a.kind) ?? 0));
  }
}

function findProfile(profileId: Sent<string>, lookups: Lookups, findings: Findings): Identifier | undefined {
  const identity = lookups.decodeProfile(profileId.value);
  if (identity === undefined) refuse(findings, profileId.field, "unknown_profile", "is no profile of this tenant");
  return identity === undefined ? undefined : { entity: "person", kind: "profile", value: String(identity) };
}

/** The value as trimmed text; empty counts as not sent, undefined as refused. */
function readText({ field, value }: SentIdentifier, findings: Findings): string | undefined {
  if (typeof value === "number" && (!/^-?\d+(\.\d+)?$/.test(String(value)) || Math.abs(value) > Number.MAX_SAFE_INTEGER)) {
    refuse(findings, field, "number_out_of_range", "is a number that JSON rounds: send it as a string");
    return undefined;
  }
  const text = String(value).trim();
  if (text.length > charactersMax) refuse(findings, field, "too_long", `must have at most ${charactersMax} characters`);
  else if (!isStorable(text)) refuse(findings, field, "invalid_characters", "must not hold NUL or half characters");
  else return text;
  return undefined;
}

function normalise({ kind, kindField, field }: SentIdentifier, text: string, settings: TenantSettings, findings: Findings): string | undefined {
  if (!indexSettings(settings).priorityOfKind.has(kind)) {
    refuse(findings, kindField ?? field, "unknown_identifier_type", "is no identifier type of this tenant");
    return undefined;
  }
  if (isBlocked(text, settings)) {
    warn(findings, "blocked_identifier");
    return undefined;
  }
  const value = normaliseValue(kind, text, settings);
  if (value === undefined) warn(findings, "invalid_phone");
  return value;
}

/** Placeholders that programs send for nobody: joined by them, strangers would become one person. */
export function isBlocked(text: string, settings: TenantSettings): boolean {
  return onlyZeros.test(text) || indexSettings(settings).blocked.has(text.toLowerCase());
}
