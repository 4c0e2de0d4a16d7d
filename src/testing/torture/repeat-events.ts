import type { Arena } from "./arena.ts";
import type { Draft } from "./draft.ts";
import { replay } from "./open-tenant.ts";

const repeatedMax = 150;
const replayedMax = 20;

/** Answered events again: some as they were, in other batches; some under the same id with other content. */
export function repeatSome(arena: Arena): Draft[][] {
  return arena.tenants.map(({ ledger }, i) => {
    const answered = [...ledger.values()].filter((sent) => sent.answeredAt !== undefined).map(({ draft }) => draft);
    const some = arena.random.some(answered, Math.min(repeatedMax, answered.length >> 1));
    return some.map((draft) => (arena.random.chance(0.6) ? draft : arena.writers[i]?.rewrite(draft, Date.now()) ?? draft));
  });
}

/** Releases some of what is held, and sends it again. */
export async function replaySome(arena: Arena): Promise<void> {
  for (const tenant of arena.tenants) {
    const held = await tenant.client.list<{ eventId: string; sourceId: string }>("/api/cdp/quarantine");
    const own = held.filter((row) => row.sourceId === tenant.publicSourceIds.quarantine).map((row) => row.eventId);
    const some = arena.random.some(own, replayedMax);
    if (some.length === 0) continue;
    await replay(tenant, "quarantine", some);
    arena.figures.add("held events replayed", some.length);
    await arena.sender.send(tenant, some.flatMap((id) => tenant.ledger.get(`quarantine ${id}`)?.draft ?? []));
  }
}
