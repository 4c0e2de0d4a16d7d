import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { Source, Tenant } from "../contracts/directory.ts";
import type { FieldError } from "../contracts/field-error.ts";
import type { Draft, Surface } from "../contracts/surface.ts";
import type { PublicIds } from "../core/public-id.ts";
import { emqScore } from "./emq.ts";
import type { Findings } from "./findings.ts";
import { checkShape } from "./steps/check-shape.ts";
import { checkSize } from "./steps/check-size.ts";
import { deriveMoney } from "./steps/derive-money.ts";
import { flattenTraits } from "./steps/flatten-traits.ts";
import { identifiersOfTraits, joinTraits } from "./steps/join-traits.ts";
import { judgeLateness, type LatenessRule } from "./steps/judge-lateness.ts";
import { normaliseIdentifiers } from "./steps/normalise-identifiers.ts";
import { pickEventId, pickNames } from "./steps/pick-names.ts";
import { stampTime } from "./steps/stamp-time.ts";

/** What all rows of a request share. */
export interface Delivery {
  tenant: Tenant;
  source: Source;
  receivedAt: number;
  /** The sender's clock when it sent the batch. */
  sentAt?: number | undefined;
  historical: boolean;
  /** Bytes that a row may have; absent when the whole body is no larger, and no row need be measured. */
  rowBytesMax?: number | undefined;
}

export type RowResult =
  | { status: "accepted"; event: CanonicalEvent }
  /** `eventId` is the row's own, where it could be read. */
  | { status: "rejected"; eventId: string | undefined; errors: FieldError[] };

interface Deps {
  publicIds: PublicIds;
  /** Nesting levels that a row may have, itself included. */
  depthMax: number;
  lateness: LatenessRule;
}

const rejected = (errors: FieldError[], eventId?: string): RowResult => ({ status: "rejected", eventId, errors });

/**
 * Turns a row of a surface into a canonical event, or says everything that is wrong with it. Never throws, whatever JSON
 * it is given. `sentKey` names an event that carries no id of its own; without it the server makes one up.
 */
export function createTranslateRow({ publicIds, depthMax, lateness }: Deps) {
  return function translateRow(surface: Surface, row: unknown, delivery: Delivery, sentKey: () => string | undefined): RowResult {
    const fault = checkShape(row, depthMax) ?? (delivery.rowBytesMax === undefined ? undefined : checkSize(row, delivery.rowBytesMax));
    if (fault) return rejected([fault]);
    const draft = surface.translate(row);
    if (Array.isArray(draft)) return rejected(draft);
    const findings: Findings = { errors: [], warnings: [] };
    const event = buildEvent(draft, surface, delivery, sentKey, findings);
    return findings.errors.length === 0 ? { status: "accepted", event } : rejected(findings.errors, draft.eventId?.value);
  };

  function buildEvent(draft: Draft, surface: Surface, delivery: Delivery, sentKey: () => string | undefined, findings: Findings): CanonicalEvent {
    const { tenant, source, receivedAt, historical } = delivery;
    const { tenantId, settings } = tenant;
    const { eventId, serverId } = pickEventId(draft, sentKey, findings);
    const { name, sessionId } = pickNames(draft, findings);
    const { ts, sentAt, serverTs } = stampTime(draft, receivedAt, delivery.sentAt, findings);
    const sentTraits = flattenTraits(draft.traits, findings);
    const ofTraits = identifiersOfTraits(draft.kind, draft.traits?.field ?? "traits", sentTraits);
    const lookups = { settings, nobody: surface.nobody, decodeProfile: (id: string) => publicIds.decode("profile", tenantId, id) };
    const identifiers = normaliseIdentifiers(draft, ofTraits, lookups, findings);
    const traits = joinTraits(sentTraits, identifiers, draft.identifiers, settings);
    const money = deriveMoney({ kind: draft.kind, name, properties: draft.properties ?? {}, ts }, settings, findings);
    if (draft.kind === "alias" && identifiers.length === 1) findings.warnings.push("alias_single_identifier");
    const { late, held } = judgeLateness({ ts, receivedAt, historical, policy: source.latePolicy }, lateness);
    const event: CanonicalEvent = { tenantId, sourceId: source.sourceId, eventId, kind: draft.kind, name, ts, receivedAt, late, identifiers, warnings: findings.warnings };
    // One by one: a literal of conditional spreads is slow to build, and slow to write as JSON.
    if (sentAt !== undefined) event.sentAt = sentAt;
    if (held) event.held = held;
    if (historical) event.historical = historical;
    if (serverTs) event.serverTs = serverTs;
    if (serverId) event.serverId = serverId;
    if (traits) event.traits = traits;
    if (draft.properties) event.properties = draft.properties;
    if (draft.context) event.context = draft.context;
    if (sessionId !== undefined) event.sessionId = sessionId;
    if (money) event.money = money;
    event.emq = emqScore(event, settings);
    return event;
  }
}
