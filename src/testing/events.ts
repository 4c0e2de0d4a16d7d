import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { PipelineEvent } from "../contracts/pipeline-event.ts";
import { eventKey } from "../core/event-key.ts";
import { decodeRecord, encodeRecord } from "../core/log-record.ts";

/** 2026-01-01T00:00:00Z, the zero of test times. */
export const t0 = Date.UTC(2026, 0, 1);

let made = 0;

/** A track event of tenant 1, source 2, that happened and arrived at t0 unless told. */
export function anEvent(over: Partial<CanonicalEvent> = {}): CanonicalEvent {
  const ts = over.ts ?? t0;
  return {
    tenantId: 1, sourceId: 2, eventId: `event-${++made}`, kind: "track", name: "Viewed", ts, receivedAt: ts, late: false,
    identifiers: [{ entity: "person", kind: "external_id", value: "u1" }], warnings: [], ...over,
  };
}

/** The event as the pipeline carries it, at a position of partition 1. */
export function anItem(position: number, over: Partial<CanonicalEvent> = {}, contentHash = 1): PipelineEvent {
  const accepted = anEvent(over);
  const key = eventKey(accepted.tenantId, accepted.sourceId, accepted.eventId);
  const { event, body } = decodeRecord(encodeRecord(accepted, key));
  return { partition: 1, position, key, contentHash, event, body, identities: [7] };
}
