import type { Draft, Sent } from "../../contracts/surface.ts";
import { type Findings, isStorable, refuse } from "../findings.ts";

/** The row's id, else the one that its request gives it. */
export function pickEventId(draft: Draft, fallback: () => string, findings: Findings): string {
  if (!draft.eventId) return fallback();
  checkName(draft.eventId, findings);
  return draft.eventId.value;
}

/** The event's name and session, refused when no column could hold them. An empty session is none. */
export function pickNames(draft: Draft, findings: Findings): { name: string; sessionId: string | undefined } {
  checkName(draft.name, findings);
  if (draft.sessionId?.value) checkName(draft.sessionId, findings);
  return { name: draft.name.value, sessionId: draft.sessionId?.value || undefined };
}

function checkName({ field, value }: Sent<string>, findings: Findings): void {
  if (!value.trim()) refuse(findings, field, "empty", "must not be empty");
  else if (!isStorable(value)) refuse(findings, field, "invalid_characters", "must not hold NUL or half characters");
}
