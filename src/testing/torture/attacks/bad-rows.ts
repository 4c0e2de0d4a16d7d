import { untilProcessed } from "../../server-client.ts";
import { defineAttack } from "../attack.ts";
import { rowOf } from "../draft.ts";
import { ledgerKey } from "../open-tenant.ts";
import type { Random } from "../random.ts";

const rowsMax = 1000;
const largeCharacters = 1_000_000;

const badRow = (random: Random, n: number): unknown => random.pick([
  null, 7, "row", [], {}, { type: "page" }, { type: 5, userId: "u" }, { type: "x", userId: "u", timestamp: "yesterday" }, { type: "x", userId: {} },
  { type: "x", userId: "u", timestamp: "1900-01-01T00:00:00Z" }, { type: "x", userId: "u".repeat(2000) }, { type: "x", profileId: "profile-nobody" },
  { type: "x", identifiers: [{ type: "shoe", value: n }] }, { type: "x", userId: "u", properties: "none" }, { type: "", userId: "u" },
]);

export default defineAttack({
  name: "bad-rows",
  does: "a batch of 1,000 rows of which 999 are bad, and an event with a property of 1 MB among others",
  holds: "every row is answered by itself; the good one is kept, the others leave nothing",
  async run(arena) {
    await arena.begin();
    for (const [i, tenant] of arena.tenants.entries()) {
      const good = arena.writers[i]?.write(20, Date.now()).find((draft) => draft.door === "api");
      if (!good) continue;
      const rows = Array.from({ length: rowsMax }, (_, n) => badRow(arena.random, n));
      const place = arena.random.int(rowsMax);
      rows[place] = rowOf(good);
      const large = { type: "large", userId: "somebody", eventId: "large", properties: { text: "x".repeat(largeCharacters) } };
      if (place !== 0) rows[0] = large;
      const sent = { draft: good, firstSentAt: Date.now() };
      const { status, body } = await tenant.client.post<{ data: { accepted: number; rejected: number; results: { status: string }[] } }>("/api/cdp/events/batch", { events: rows });
      tenant.ledger.set(ledgerKey(good.door, good.eventId), { ...sent, answeredAt: Date.now() });
      arena.demand(status === 202 && body.data.accepted === 1 && body.data.rejected === rowsMax - 1 && body.data.results[place]?.status === "accepted",
        `a batch with one good row was answered ${status}: accepted ${body.data?.accepted}, rejected ${body.data?.rejected}`);
      arena.figures.add("bad rows refused", rowsMax - 1);
    }
    await arena.send(arena.write(50));
    await untilProcessed(arena.server);
    await arena.settle();
  },
});
