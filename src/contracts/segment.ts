import type { ProfileId } from "./identity.ts";
import type { JsonValue } from "./json.ts";

export interface SegmentDefinition {
  /** `segment-…` */
  id: string;
  slug: string;
  name: string;
}

/** What rules look at of a profile. A trait with the value null was deleted. */
export interface SegmentSubject {
  traits: ReadonlyMap<string, { value: JsonValue }>;
}

/** A profile entered or left a segment. */
export interface SegmentChange {
  /** Slug of the segment, and its number in the tenant. */
  segment: string;
  number: number;
  entered: boolean;
  /** Counts the profile's changes of this segment from 1, so that an odd one is an entry. */
  transition: number;
}

/**
 * Evaluates every segment for a profile. `memberships` are those the profile had, as its row keeps them, empty for a new
 * profile; the answer has those it has now, the same bytes when nothing changed. `asOf` is the moment (ms) for which the
 * answer holds: no clock is read.
 */
export type EvaluateSegments = (subject: SegmentSubject, memberships: Buffer, asOf: number) => { memberships: Buffer; changes: SegmentChange[] };

/** A change that is told: it becomes an event in the profile's timeline. */
export interface SegmentChanged extends SegmentChange {
  tenantId: number;
  profileId: ProfileId;
  /** Time (ms) of the profile's latest event in the batch that caused the change. */
  ts: number;
}
