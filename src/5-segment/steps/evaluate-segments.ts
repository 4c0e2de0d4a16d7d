import type { Operator } from "../../contracts/segment-rule.ts";
import type { EvaluateSegments, SegmentChange } from "../../contracts/segment.ts";
import type { DefinedSegment } from "../built-in-segments.ts";
import { compileRule } from "../compile-rule.ts";
import { isMember, packMemberships, unpackMemberships } from "../memberships.ts";

/** Makes the evaluation of these segments; throws when one of their rules is wrong. Memberships of other segments stay as they are. */
export function createEvaluateSegments(segments: readonly DefinedSegment[], operators: readonly Operator[]): EvaluateSegments {
  const compiled = segments.map((segment) => ({ ...segment, holds: compileRule(segment.rule, operators) }));
  return function evaluateSegments(subject, memberships) {
    const transitions = unpackMemberships(memberships);
    const changes: SegmentChange[] = [];
    for (const { number, slug, holds } of compiled) {
      const before = transitions.get(number) ?? 0;
      const entered = holds(subject);
      if (entered === isMember(before)) continue;
      transitions.set(number, before + 1);
      changes.push({ segment: slug, number, entered, transition: before + 1 });
    }
    return { memberships: changes.length === 0 ? memberships : packMemberships(transitions), changes };
  };
}
