import type { EvaluateSegments, SegmentDefinition } from "../contracts/segment.ts";
import type { PublicIds } from "../core/public-id.ts";
import { builtInSegments } from "./built-in-segments.ts";
import { isMember, unpackMemberships } from "./memberships.ts";
import { operators } from "./operators/index.ts";
import { createEvaluateSegments } from "./steps/evaluate-segments.ts";

export interface Segment {
  evaluate: EvaluateSegments;
  /** The segments of a tenant, by number. */
  definitions(tenantId: number): SegmentDefinition[];
  /** Public ids of the segments that a profile with these memberships is in now, by number. */
  idsOf(tenantId: number, memberships: Buffer): string[];
}

export function createSegment({ publicIds }: { publicIds: PublicIds }): Segment {
  const idOf = (tenantId: number, number: number): string => publicIds.encode("segment", tenantId, number);
  return {
    evaluate: createEvaluateSegments(builtInSegments, operators),
    definitions: (tenantId) => builtInSegments.map(({ number, slug, name }) => ({ id: idOf(tenantId, number), slug, name })),
    idsOf(tenantId, memberships) {
      const transitions = unpackMemberships(memberships);
      return builtInSegments.filter(({ number }) => isMember(transitions.get(number))).map(({ number }) => idOf(tenantId, number));
    },
  };
}
