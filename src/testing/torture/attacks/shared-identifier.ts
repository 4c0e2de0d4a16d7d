import { untilProcessed } from "../../server-client.ts";
import { defineAttack } from "../attack.ts";
import { watchBystanders } from "../bystanders.ts";
import { demandTotal, flood } from "../flood.ts";
import { openTenant } from "../open-tenant.ts";

const othersMsMax = 10_000;

export default defineAttack({
  name: "shared-identifier",
  does: "ten thousand people use one device, one e-mail and one anonymous id, and each comes twice",
  holds: "they stay people of their own, while others of that tenant and of another are served at once",
  async run(arena) {
    await arena.begin();
    const tenant = await openTenant(arena.server.url, `kiosk ${arena.random.int(1e9)}`);
    const other = await openTenant(arena.server.url, `beside a kiosk ${arena.random.int(1e9)}`);
    const watch = watchBystanders(arena, [
      { who: "others of the tenant with a shared identifier", client: tenant.client }, { who: "another tenant than that with a shared identifier", client: other.client },
    ], othersMsMax);
    const people = arena.short ? 1_000 : 10_000;
    const shared = [{ type: "device_id", value: "kiosk" }, { type: "email", value: "info@example.com" }, { type: "anonymous_id", value: "kiosk" }];
    const began = performance.now();
    const count = await flood(arena, tenant.client, {
      rowOf: (n) => ({ type: "Viewed", eventId: `kiosk-${n}`, identifiers: [{ type: "external_id", value: `person-${n % people}` }, shared[n % shared.length]] }),
      countMax: people * 2, msMax: 100_000,
    });
    await untilProcessed(arena.server);
    arena.figures.time(`${people} people under shared identifiers`, performance.now() - began);
    await watch.stop();
    await demandTotal(arena, tenant.client, count);
    for (const n of [people >> 1, people - 1]) {
      const profile = await tenant.client.lookup("external_id", `person-${n}`);
      arena.demand(profile?.totalEvents === 2, `one of the many under an identifier has ${profile?.totalEvents} events, and sent 2`);
    }
    await arena.send(arena.write(50));
    await arena.settle();
  },
});
