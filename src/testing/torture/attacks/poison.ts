import type { CommitStep } from "../../../contracts/commit-step.ts";
import { untilProcessed } from "../../server-client.ts";
import { defineAttack } from "../attack.ts";
import { ledgerKey, replay } from "../open-tenant.ts";
import { killOnce, killWays } from "../kill-ways.ts";
import type { Draft } from "../draft.ts";

/** What is wrong only after the commit costs nothing any more. */
const stepsWithEvents: readonly CommitStep[] = ["deduplicated", "minted", "folded", "history-written", "state-written", "committed"];

export default defineAttack({
  name: "poison",
  does: "in batches of good events one event makes a step of the commit protocol throw, each step in turn, over kills",
  holds: "it alone is dead-lettered and listed; all others are in state; with the poison off it is replayed and counts",
  async run(arena) {
    await arena.begin();
    const [tenant] = arena.tenants;
    if (!tenant) return;
    arena.order({ kind: "poison", on: true });
    const culprits: string[] = [];
    for (const step of arena.random.shuffle(stepsWithEvents)) {
      const drafts = arena.write(arena.short ? 30 : 100).map((own) => own.map((draft): Draft => ({ ...draft })));
      const culprit = arena.random.pick((drafts[0] ?? []).filter((draft) => draft.door === "api"));
      culprit.eventId = `poison-${step}-${culprit.eventId}`;
      if (step !== "committed") culprits.push(culprit.eventId);
      const sending = arena.send(drafts);
      sending.catch(() => undefined);
      if (arena.random.chance(0.3)) await killOnce(arena, arena.random.pick(killWays));
      await sending;
    }
    await untilProcessed(arena.server);
    const listed = await tenant.client.list<{ eventId: string; status: string; reason: string }>("/api/cdp/quarantine?state=rejected");
    arena.demand([...listed.map((row) => row.eventId)].sort().join() === [...culprits].sort().join(),
      `dead-lettered are ${listed.map((row) => row.eventId).join()}, poisoned were ${culprits.join()}`);
    for (const eventId of culprits) {
      const status = await tenant.client.statusOf(eventId);
      arena.demand(status === "rejected", `the status of ${eventId} is ${status}`);
    }
    const held = new Set((await tenant.client.list<{ eventId: string }>("/api/cdp/events")).map((row) => row.eventId));
    const missing = [...tenant.ledger.values()].filter(({ draft }) => draft.door === "api" && !culprits.includes(draft.eventId) && !held.has(draft.eventId));
    arena.demand(missing.length === 0, `${missing.length} events beside the poisoned ones are not in history: ${missing.slice(0, 5).map(({ draft }) => draft.eventId).join()}`);
    arena.order({ kind: "poison", on: false });
    await replay(tenant, "api", culprits);
    arena.demand(culprits.every((id) => tenant.ledger.get(ledgerKey("api", id))?.replayed), "a poisoned event was not sent");
    arena.figures.add("poisoned events dead-lettered and replayed", culprits.length);
    await arena.settle();
  },
});
