import type { CanonicalEvent } from "../../contracts/canonical-event.ts";
import type { IdentityId, LinkCandidate } from "../../contracts/identity.ts";

/** What events say: each one's anchor belongs together with each of its other identities. */
export function linkEvents(events: readonly CanonicalEvent[], identities: readonly IdentityId[][], keys: readonly string[]): LinkCandidate[] {
  return events.flatMap((event, i) => {
    const [anchor, ...others] = identities[i] ?? [];
    const key = keys[i];
    if (anchor === undefined || key === undefined) return [];
    return others.map((b, j) => ({ tenantId: event.tenantId, a: anchor, b, ts: event.ts, key, ord: j + 1 }));
  });
}
