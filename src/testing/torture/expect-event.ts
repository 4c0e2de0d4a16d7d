import type { CanonicalEvent } from "../../contracts/canonical-event.ts";
import type { JsonObject } from "../../contracts/json.ts";
import { type Draft, propertiesOf } from "./draft.ts";
import type { Sent, Tenant } from "./open-tenant.ts";

/** Window and grace of the server, in milliseconds. */
export interface Lateness {
  windowMs: number;
  graceMs: number;
}

const futureMsMax = 5000;

/** What the design makes of an event that was sent, once it is known when it arrived. */
export function expectEvent(tenant: Tenant, { draft, replayed }: Sent, receivedAt: number, { windowMs, graceMs }: Lateness): CanonicalEvent {
  const { door, eventId, kind, name, identifiers, sessionId, money } = draft;
  const isFuture = draft.ts !== undefined && draft.ts > receivedAt + futureMsMax;
  const ts = draft.ts === undefined || isFuture ? receivedAt : draft.ts;
  const late = door !== "import" && ts < receivedAt - windowMs - graceMs;
  const isHeld = late && !replayed && (door === "quarantine" || door === "stream");
  const traits = expectTraits(draft);
  return {
    tenantId: tenant.tenantId, sourceId: tenant.sourceIds[door], eventId, kind, name, ts, receivedAt, late, warnings: [],
    ...(door === "import" && { historical: true }),
    ...(isHeld && { held: "late" }),
    identifiers: [
      ...(draft.profile ? [{ entity: "person" as const, kind: "profile", value: draft.profile.name }] : []),
      ...identifiers.map((one) => ({ entity: "person" as const, ...one })),
    ],
    properties: propertiesOf(draft),
    ...(traits && { traits }),
    ...(sessionId !== undefined && { sessionId }),
    ...(money && { money: expectMoney(money) }),
  };
}

function expectMoney({ role, cents, currency, orderId }: NonNullable<Draft["money"]>): NonNullable<CanonicalEvent["money"]> {
  return { role, micros: String(cents * 10_000), currency, ...(orderId !== undefined && { orderId }) };
}

/** An e-mail or phone that identifies is known of the customer too: the first one named. */
function expectTraits({ traits, identifiers }: Draft): JsonObject | undefined {
  const joined: JsonObject = { ...traits };
  for (const kind of ["email", "phone"]) {
    const named = identifiers.find((one) => one.kind === kind);
    if (named && !Object.hasOwn(joined, kind)) joined[kind] = named.value;
  }
  return Object.keys(joined).length > 0 ? joined : undefined;
}
