import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { TenantSettings } from "../contracts/directory.ts";
import type { JsonObject, JsonValue } from "../contracts/json.ts";
import { priorityOf } from "../core/tenant-defaults.ts";
import { expectedFields, type ExpectedFieldsSettings } from "./expected-fields.ts";

type ScoredEvent = Pick<CanonicalEvent, "kind" | "name" | "ts" | "receivedAt" | "identifiers" | "context"> & {
  /** Asked for only where fields are expected. */
  readProperties(): JsonObject | undefined;
};
type ScoreSettings = Pick<TenantSettings, "identifierKinds"> & ExpectedFieldsSettings;

/** Event match quality, 0…1 to four decimals: how well the event can be matched to a person, and how much it tells. */
export function emqScore(event: ScoredEvent, settings: ScoreSettings): number {
  const score =
    0.35 * identifierQuality(event, settings) +
    0.25 * completeness(event, settings) +
    0.2 * timeliness(event.receivedAt - event.ts) +
    0.2 * contextRichness(event.context ?? {});
  return Math.round(score * 10_000) / 10_000;
}

/** 1 − Π(1 − priority/100): a `profileId` and an external id are certain, two weak identifiers are better than one. */
export function identifierQuality(event: Pick<ScoredEvent, "identifiers">, settings: Pick<TenantSettings, "identifierKinds">): number {
  const priorities = event.identifiers.map(({ kind }) => Math.min(100, Math.max(0, priorityOf(settings, kind))));
  return 1 - priorities.reduce((doubt, priority) => doubt * (1 - priority / 100), 1);
}

/** Share of the fields expected for the event's name that it carries; 1 where nothing is expected. */
export function completeness(event: Pick<ScoredEvent, "kind" | "name" | "readProperties">, settings: ExpectedFieldsSettings): number {
  const expected = expectedFields(event, settings);
  if (expected.length === 0) return 1;
  const properties = event.readProperties();
  return expected.filter((spellings) => spellings.some((name) => isGiven(properties, name))).length / expected.length;
}

/** 1 up to a minute of delay, falling with its logarithm to 0 at a day. */
export function timeliness(delayMs: number): number {
  const minutes = delayMs / 60_000;
  return minutes <= 1 ? 1 : Math.max(0, 1 - Math.log(minutes) / Math.log(1440));
}

/** Where each thing a context can tell may stand: Segment's shape first. */
const contextPaths = [
  ["ip"],
  ["userAgent", "user_agent"],
  ["page.url", "page_url", "url"],
  ["page.referrer", "referrer"],
  ["campaign", "utm"],
  ["locale", "language"],
  ["device"],
  ["os"],
  ["screen"],
  ["timezone", "time_zone", "timeZone"],
].map((paths) => paths.map((path) => path.split(".")));

/** Share of the ten things a context can tell. */
export function contextRichness(context: JsonObject): number {
  return contextPaths.filter((paths) => paths.some((path) => isGivenAt(context, path))).length / contextPaths.length;
}

function isGivenAt(context: JsonObject, [outer = "", inner]: string[]): boolean {
  if (inner === undefined) return isGiven(context, outer);
  const value = Object.hasOwn(context, outer) ? context[outer] : undefined;
  return isObject(value) && isGiven(value, inner);
}

const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

function isGiven(object: JsonObject | undefined, name: string): boolean {
  const value = object && Object.hasOwn(object, name) ? object[name] : undefined;
  if (value === undefined || value === null || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
