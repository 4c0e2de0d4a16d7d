import Type from "typebox";
import type { EventKind } from "../../contracts/canonical-event.ts";
import { fieldError } from "../../core/check-schema.ts";
import { defineSurface } from "../define-surface.ts";
import { optionalObject, optionalText, optionalTextOrNumber, readIdentifierFields, sent } from "../event-fields.ts";

const kinds = new Map<string, EventKind>([["IDENTIFY", "identify"], ["TRACK", "track"], ["ALIAS", "alias"]]);
const people = ["userId", "email", "anonymousId"];

export default defineSurface({
  name: "stream",
  summary: "IDENTIFY, TRACK and ALIAS in an envelope of eventId and ts.",
  schema: Type.Object({
    eventId: Type.String({ minLength: 1, maxLength: 255, description: "Sent again with the same id, the event counts once." }),
    ts: optionalText("When it happened, ISO-8601. The time of arrival when missing."),
    payload: Type.Object({
      type: Type.Unsafe<string>({ type: "string", enum: [...kinds.keys()] }),
      userId: optionalTextOrNumber("Identifier of kind external_id."),
      email: optionalText("Identifier of kind email."),
      anonymousId: optionalTextOrNumber("Identifier of kind anonymous_id."),
      name: optionalText("What happened. TRACK requires it.", { maxLength: 255 }),
      traits: optionalObject("What is known about the customer; null deletes a trait."),
      properties: optionalObject("What is known about the action."),
    }),
  }),
  nobody: { field: "payload", reason: "required", message: "At least one of userId, email, anonymousId is required" },
  read({ eventId, ts, payload }) {
    const kind = kinds.get(payload.type) ?? "track";
    if (kind === "track" && !payload.name?.trim()) return [{ field: "payload.name", reason: "required", message: "TRACK events require a name" }];
    if (!eventId.trim()) return [fieldError("eventId", "empty", "must not be empty")];
    return {
      kind,
      name: { field: "payload.name", value: (kind === "track" && payload.name) || kind },
      eventId: { field: "eventId", value: eventId },
      ts: sent("ts", ts),
      identifiers: readIdentifierFields(payload, people, "payload."),
      traits: sent("payload.traits", payload.traits),
      properties: payload.properties ?? undefined,
    };
  },
  examples: [
    {
      title: "IDENTIFY sets traits",
      row: { eventId: "evt-123", ts: "2025-10-04T10:30:00Z", payload: { type: "IDENTIFY", userId: "user-123", email: "user@example.com", traits: { name: "John Doe", plan: "pro", country: "US" } } },
      event: {
        kind: "identify",
        name: "identify",
        eventId: "evt-123",
        ts: Date.UTC(2025, 9, 4, 10, 30),
        identifiers: [{ entity: "person", kind: "external_id", value: "user-123" }, { entity: "person", kind: "email", value: "user@example.com" }],
        traits: { name: "John Doe", plan: "pro", country: "US", email: "user@example.com" },
      },
    },
    {
      title: "TRACK records an action",
      row: { eventId: "evt-456", ts: "2025-10-04T10:35:00Z", payload: { type: "TRACK", userId: "user-123", name: "Feature Used", properties: { feature: "dashboard", duration: 120 } } },
      event: { kind: "track", name: "Feature Used", properties: { feature: "dashboard", duration: 120 } },
    },
    {
      title: "ALIAS links identifiers",
      row: { eventId: "evt-789", ts: "2025-10-04T10:40:00Z", payload: { type: "ALIAS", anonymousId: "anon-456", userId: "user-123" } },
      event: {
        kind: "alias",
        identifiers: [{ entity: "person", kind: "external_id", value: "user-123" }, { entity: "person", kind: "anonymous_id", value: "anon-456" }],
        warnings: [],
      },
    },
  ],
});
