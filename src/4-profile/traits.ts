import type { JsonObject, JsonValue } from "../contracts/json.ts";
import { isPersonalTrait } from "./personal-traits.ts";

/** The value that won and the event that set it. Null is a deletion, kept so that an older value cannot return. */
export interface TraitEntry {
  value: JsonValue;
  ts: number;
  /** Event key, 32 hex digits. */
  key: string;
}

/** Last write wins per trait, by (ts, key), the larger first. */
export type Traits = Map<string, TraitEntry>;

const customPrefix = "customFields.";

/** Folds the traits of one event. Every custom field is a trait of its own, named `customFields.<field>`. */
export function foldTraits(traits: Traits, sent: JsonObject, ts: number, key: string): void {
  for (const [name, value] of Object.entries(sent)) {
    if (name !== "customFields") setTrait(traits, name, { value, ts, key });
    else for (const [field, inner] of Object.entries(asObject(value))) setTrait(traits, customPrefix + field, { value: inner, ts, key });
  }
}

export function mergeTraits(into: Traits, from: Traits): void {
  for (const [name, entry] of from) setTrait(into, name, entry);
}

function setTrait(traits: Traits, name: string, entry: TraitEntry): void {
  const known = traits.get(name);
  if (!known || wins(entry, known)) traits.set(name, entry);
}

function wins(a: TraitEntry, b: TraitEntry): boolean {
  if (a.ts !== b.ts) return a.ts > b.ts;
  if (a.key !== b.key) return a.key > b.key;
  return JSON.stringify(a.value) > JSON.stringify(b.value); // one event that names a trait twice
}

const asObject = (value: JsonValue): JsonObject => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {});

/**
 * Keeps the latest `max` traits by (ts, key, name). Whenever and however often this is done, the result is that of the whole
 * set of events: entries only grow, so one that is not among the latest of a part is not among those of the whole.
 */
export function compactTraits(traits: Traits, max: number): void {
  if (traits.size <= max) return;
  const latestFirst = [...traits].sort(([nameA, a], [nameB, b]) => b.ts - a.ts || compareText(b.key, a.key) || compareText(nameB, nameA));
  for (const [name] of latestFirst.slice(max)) traits.delete(name);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The live traits as the API shows them: `customFields` put together again, always an object, `tags` always an array. */
export function liveAttributes(traits: Traits): JsonObject & { tags: JsonValue[]; customFields: JsonObject } {
  const plain: [string, JsonValue][] = [];
  let tags: JsonValue[] = [];
  const custom: [string, JsonValue][] = [];
  for (const [name, { value }] of inOrder(traits)) {
    if (value === null) continue;
    if (name.startsWith(customPrefix)) custom.push([name.slice(customPrefix.length), value]);
    else if (name === "tags") tags = Array.isArray(value) ? value : [value];
    else plain.push([name, value]);
  }
  return { ...Object.fromEntries(plain), tags, customFields: Object.fromEntries(custom) };
}

/** Event time (ms) that set each live trait. */
export const traitTimes = (traits: Traits): [string, number][] => inOrder(traits).flatMap(([name, { value, ts }]) => (value === null ? [] : [[name, ts]]));

const inOrder = (traits: Traits): [string, TraitEntry][] => [...traits].sort(([a], [b]) => (a < b ? -1 : 1));

/** The document `{name: [value, ts, key]}` as JSON text; equal traits give equal text. */
export function encodeTraits(traits: Traits): string {
  return JSON.stringify(Object.fromEntries(inOrder(traits).map(([name, { value, ts, key }]) => [name, [value, ts, key]])));
}

/** Reads a document back, into `into` when given: the two halves of a profile then come together again. */
export function decodeTraits(text: string, into: Traits = new Map()): Traits {
  const document = JSON.parse(text) as Record<string, [JsonValue, number, string]>;
  for (const [name, [value, ts, key]] of Object.entries(document)) setTrait(into, name, { value, ts, key });
  return into;
}

/** The traits apart by where they may lie: personal ones are sealed, the others are kept in the clear. */
export function splitTraits(traits: Traits): { open: Traits; personal: Traits } {
  const open: Traits = new Map();
  const personal: Traits = new Map();
  for (const [name, entry] of traits) (isPersonalTrait(name) ? personal : open).set(name, entry);
  return { open, personal };
}
