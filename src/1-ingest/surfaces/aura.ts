import Type from "typebox";
import type { EventKind } from "../../contracts/canonical-event.ts";
import { defineSurface } from "../define-surface.ts";
import { idProperties, identifierFields, identifierProperties, optionalObject, optionalText, readIdentifierFields, readIdentifierList, sent } from "../event-fields.ts";

const kinds = new Map<string, EventKind>([["identify", "identify"], ["alias", "alias"], ["page", "page"], ["screen", "screen"]]);
/** Types that say only what sort of event it is, and leave its name to `name`. */
const named = new Set(["custom", "page", "screen"]);

export default defineSurface({
  name: "aura",
  summary: "One event by type: page_view, purchase, custom, identify, … or any name of your own.",
  schema: Type.Object({
    type: Type.String({ minLength: 1, maxLength: 255, description: "Name of the event; identify, alias, page and screen have their own meaning." }),
    name: optionalText("Name of a custom, page or screen event.", { minLength: 1, maxLength: 255 }),
    timestamp: optionalText("When it happened, ISO-8601. The time of arrival when missing."),
    sentAt: optionalText("When the sender sent it by its own clock, ISO-8601: corrects a wrong clock."),
    profileId: optionalText("The customer, by the id of its profile."),
    ...identifierProperties,
    ...idProperties,
    sessionId: optionalText("The session, when the sender keeps its own.", { maxLength: 255 }),
    source: optionalText("Name of the channel, kept as context.source.", { maxLength: 255 }),
    traits: optionalObject("What is known about the customer; null deletes a trait."),
    properties: optionalObject("What is known about the event."),
    context: optionalObject("Where it happened: ip, userAgent, page, campaign, device, …"),
  }),
  nobody: { field: "profileId", reason: "required", message: "profileId or an identifier (userId, email, phone, deviceId, anonymousId, identifiers) is required" },
  read(row) {
    const { type } = row;
    const idField = (["eventId", "messageId", "idempotency_key"] as const).find((field) => typeof row[field] === "string");
    return {
      kind: kinds.get(type) ?? "track",
      name: (named.has(type) && sent("name", row.name)) || { field: "type", value: type },
      eventId: idField && sent(idField, row[idField]),
      ts: sent("timestamp", row.timestamp),
      sentAt: sent("sentAt", row.sentAt),
      profileId: sent("profileId", row.profileId),
      identifiers: [...readIdentifierFields(row, identifierFields), ...readIdentifierList(row.identifiers)],
      traits: sent("traits", row.traits),
      properties: row.properties ?? undefined,
      context: row.source ? { ...row.context, source: row.source } : (row.context ?? undefined),
      sessionId: sent("sessionId", row.sessionId),
    };
  },
  examples: [
    {
      title: "A purchase",
      row: {
        userId: "user-123",
        type: "purchase",
        timestamp: "2026-02-15T10:30:00.000Z",
        properties: { orderId: "ORD-789", amount: 249.99, currency: "USD", items: [{ productId: "SKU-456", name: "Product Name", quantity: 2, price: 124.995 }] },
        sessionId: "session-xyz789",
        deviceId: "device-mobile123",
        source: "web",
      },
      event: {
        kind: "track",
        name: "purchase",
        ts: Date.UTC(2026, 1, 15, 10, 30),
        identifiers: [{ entity: "person", kind: "external_id", value: "user-123" }, { entity: "person", kind: "device_id", value: "device-mobile123" }],
        money: { role: "purchase", micros: "249990000", currency: "USD", orderId: "ORD-789" },
        sessionId: "session-xyz789",
        context: { source: "web" },
      },
    },
    {
      title: "A custom event of someone known by e-mail",
      row: { type: "custom", name: "console_event", email: "Console@Example.com", properties: {} },
      event: { kind: "track", name: "console_event", identifiers: [{ entity: "person", kind: "email", value: "console@example.com" }], traits: { email: "console@example.com" } },
    },
    {
      title: "What is known about a customer",
      row: { type: "identify", userId: "user-123", traits: { phone: "+1 213 373 4253", customFields: { shirt: "L" } } },
      event: {
        kind: "identify",
        identifiers: [{ entity: "person", kind: "external_id", value: "user-123" }, { entity: "person", kind: "phone", value: "+12133734253" }],
        traits: { phone: "+12133734253", "customFields.shirt": "L" },
      },
    },
  ],
});
