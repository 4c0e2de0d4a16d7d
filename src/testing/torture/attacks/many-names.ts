import { untilProcessed } from "../../server-client.ts";
import { defineAttack } from "../attack.ts";
import { watchBystanders } from "../bystanders.ts";
import { demandTotal, flood } from "../flood.ts";
import { openTenant } from "../open-tenant.ts";

const people = 1000;
const othersMsMax = 10_000;

export default defineAttack({
  name: "many-names",
  does: "a tenant gives every event a name of its own, as many as ten million",
  holds: "others of that tenant and of another are served at once; each event is found by its name",
  async run(arena) {
    await arena.begin();
    const tenant = await openTenant(arena.server.url, `names ${arena.random.int(1e9)}`);
    const other = await openTenant(arena.server.url, `beside names ${arena.random.int(1e9)}`);
    const watch = watchBystanders(arena, [
      { who: "others of the tenant of many names", client: tenant.client }, { who: "another tenant than that of many names", client: other.client },
    ], othersMsMax);
    const count = await flood(arena, tenant.client, {
      rowOf: (n) => ({ type: `Name ${n}`, eventId: `name-${n}`, userId: `customer-${n % people}` }),
      countMax: arena.short ? 5_000 : 10_000_000, msMax: arena.short ? 5_000 : 100_000,
    });
    await watch.stop();
    await untilProcessed(arena.server);
    arena.figures.most("event names of one tenant", count);
    await demandTotal(arena, tenant.client, count);
    for (const n of [0, arena.random.int(count), count - 1]) {
      const began = performance.now();
      const rows = await tenant.client.list<{ eventId: string }>(`/api/cdp/events?type=${encodeURIComponent(`Name ${n}`)}`);
      arena.figures.time("an event found by one name of many", performance.now() - began);
      arena.demand(rows.length === 1 && rows[0]?.eventId === `name-${n}`, `Name ${n} finds ${rows.map((row) => row.eventId).join()}`);
    }
    await arena.send(arena.write(50));
    await arena.settle();
  },
});
