import Type from "typebox";
import { defineSurface } from "../define-surface.ts";
import { idProperties, identifierFields, identifierProperties, optionalObject, optionalText, readIdentifierFields, readIdentifierList, sent } from "../event-fields.ts";

export default defineSurface({
  name: "stratum",
  summary: "One event by event_name, in snake case.",
  schema: Type.Object({
    event_name: Type.String({ minLength: 1, maxLength: 255, description: "Name of the event." }),
    event_time: optionalText("When it happened, ISO-8601. The time of arrival when missing."),
    sent_at: optionalText("When the sender sent it by its own clock, ISO-8601: corrects a wrong clock."),
    profile_id: optionalText("The customer, by the id of its profile."),
    ...identifierProperties,
    ...idProperties,
    session_id: optionalText("The session, when the sender keeps its own.", { maxLength: 255 }),
    traits: optionalObject("What is known about the customer; null deletes a trait."),
    properties: optionalObject("What is known about the event."),
    context: optionalObject("Where it happened: ip, userAgent, page, campaign, device, …"),
  }),
  nobody: { field: "identifiers", reason: "required", message: "identifiers must name at least one identifier with a value" },
  matches: (row) => typeof row === "object" && row !== null && Object.hasOwn(row, "event_name"),
  read(row) {
    const idField = (["eventId", "messageId", "idempotency_key"] as const).find((field) => typeof row[field] === "string");
    return {
      kind: "track",
      name: { field: "event_name", value: row.event_name },
      eventId: idField && sent(idField, row[idField]),
      ts: sent("event_time", row.event_time),
      sentAt: sent("sent_at", row.sent_at),
      profileId: sent("profile_id", row.profile_id),
      identifiers: [...readIdentifierFields(row, identifierFields), ...readIdentifierList(row.identifiers)],
      traits: sent("traits", row.traits),
      properties: row.properties ?? undefined,
      context: row.context ?? undefined,
      sessionId: sent("session_id", row.session_id),
    };
  },
  examples: [
    {
      title: "A page view of a visitor who gave an e-mail",
      row: {
        event_name: "PageView",
        event_time: "2026-02-15T10:30:00Z",
        idempotency_key: "idem-1",
        identifiers: [{ type: "anonymous_id", value: "abc123" }, { type: "email", value: "user@example.com" }],
        properties: {},
        context: {},
      },
      event: {
        kind: "track",
        name: "PageView",
        eventId: "idem-1",
        ts: Date.UTC(2026, 1, 15, 10, 30),
        identifiers: [{ entity: "person", kind: "email", value: "user@example.com" }, { entity: "person", kind: "anonymous_id", value: "abc123" }],
        traits: { email: "user@example.com" },
      },
    },
  ],
});
