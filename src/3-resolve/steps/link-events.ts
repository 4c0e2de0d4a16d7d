import type { EventHead } from "../../contracts/canonical-event.ts";
import type { IdentityId, LinkCandidate } from "../../contracts/identity.ts";

type IsKnown = (link: { tenantId: number; a: IdentityId; b: IdentityId; manual: boolean; ts: number; key: string }) => boolean;

/** What events say: each one's anchor belongs together with each of its other identities. Known links are left out. */
export function linkEvents(events: readonly EventHead[], identities: readonly IdentityId[][], keys: readonly string[], isKnown: IsKnown): LinkCandidate[] {
  const links: LinkCandidate[] = [];
  const link = { tenantId: 0, a: 0, b: 0, manual: false, ts: 0, key: "" };
  events.forEach(({ tenantId, ts }, i) => {
    const own = identities[i] ?? [];
    const [a, key] = [own[0], keys[i]];
    if (a === undefined || key === undefined) return;
    for (let ord = 1; ord < own.length; ord++) {
      const b = own[ord] as IdentityId;
      // One object for all, because nearly all are known.
      Object.assign(link, { tenantId, a, b, ts, key });
      if (!isKnown(link)) links.push({ tenantId, a, b, ts, key, ord });
    }
  });
  return links;
}
