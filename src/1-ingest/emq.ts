import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { TenantSettings } from "../contracts/directory.ts";
import type { JsonObject, JsonValue } from "../contracts/json.ts";
import { expectedFields, type ExpectedFieldsSettings } from "./expected-fields.ts";
import { indexSettings } from "./steps/index-settings.ts";

type ScoredEvent = Pick<CanonicalEvent, "kind" | "name" | "ts" | "receivedAt" | "identifiers" | "properties" | "context">;

/** Event match quality, 0…1 to four decimals: how well the event can be matched to a person, and how much it tells. */
export function emqScore(event: ScoredEvent, settings: TenantSettings): number {
  const score =
    0.35 * identifierQuality(event, settings) +
    0.25 * completeness(event, settings) +
    0.2 * timeliness(event.receivedAt - event.ts) +
    0.2 * contextRichness(event.context ?? {});
  return Math.round(score * 10_000) / 10_000;
}

/** 1 − Π(1 − priority/100): a `profileId` and an external id are certain, two weak identifiers are better than one. */
export function identifierQuality({ identifiers }: Pick<ScoredEvent, "identifiers">, settings: TenantSettings): number {
  const { priorityOfKind } = indexSettings(settings);
  let doubt = 1;
  for (const { kind } of identifiers) {
    const priority = kind === "profile" ? 100 : (priorityOfKind.get(kind) ?? 0);
    doubt *= 1 - Math.min(100, Math.max(0, priority)) / 100;
  }
  return 1 - doubt;
}

/** Share of the fields expected for the event's name that it carries; 1 where nothing is expected. */
export function completeness(event: Pick<ScoredEvent, "kind" | "name" | "properties">, settings: ExpectedFieldsSettings): number {
  const expected = expectedFields(event, settings);
  if (expected.length === 0) return 1;
  let given = 0;
  for (const spellings of expected) if (spellings.some((name) => isGiven(event.properties, name))) given++;
  return given / expected.length;
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
  let told = 0;
  for (const paths of contextPaths) if (isGivenAtAny(context, paths)) told++;
  return told / contextPaths.length;
}

function isGivenAtAny(context: JsonObject, paths: readonly string[][]): boolean {
  for (const [outer = "", inner] of paths) {
    if (inner === undefined ? isGiven(context, outer) : isGiven(objectAt(context, outer), inner)) return true;
  }
  return false;
}

function objectAt(object: JsonObject, name: string): JsonObject | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return isObject(value) ? value : undefined;
}

const isObject = (value: JsonValue | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

function isGiven(object: JsonObject | undefined, name: string): boolean {
  const value = object && Object.hasOwn(object, name) ? object[name] : undefined;
  if (value === undefined || value === null || value === "") return false;
  return typeof value !== "object" || !isEmpty(value);
}

function isEmpty(value: object): boolean {
  for (const name in value) if (Object.hasOwn(value, name)) return false;
  return true;
}
