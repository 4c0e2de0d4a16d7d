import type { JsonValue } from "../contracts/json.ts";
import type { SegmentSubject } from "../contracts/segment.ts";

export type ReadField = (subject: SegmentSubject) => JsonValue | undefined;

const traitPrefix = "traits.";

/**
 * How a field path is read of a profile, or undefined when there is no such field. Everything after `traits.` is the name
 * of one trait (`traits.customFields.industry`); one that the profile does not have, or that was deleted, reads undefined.
 */
export function fieldReader(path: string): ReadField | undefined {
  if (!path.startsWith(traitPrefix) || path.length === traitPrefix.length) return undefined;
  const name = path.slice(traitPrefix.length);
  return ({ traits }) => traits.get(name)?.value ?? undefined;
}
