import type { Draft, Sent } from "../../contracts/surface.ts";
import { type Findings, isStorable, refuse } from "../findings.ts";
import { makeEventId } from "../make-event-id.ts";

/** The row's id, else the one that its request gives it, else one that the server makes up. */
export function pickEventId(draft: Draft, sentKey: () => string | undefined, findings: Findings): { eventId: string; serverId: boolean } {
  if (draft.eventId) {
    checkName(draft.eventId, findings);
    return { eventId: draft.eventId.value, serverId: false };
  }
  const key = sentKey();
  return key === undefined ? { eventId: makeEventId(), serverId: true } : { eventId: key, serverId: false };
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
