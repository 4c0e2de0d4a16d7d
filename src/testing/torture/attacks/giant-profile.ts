import { readMeter, untilProcessed } from "../../server-client.ts";
import { defineAttack } from "../attack.ts";
import { watchBystanders } from "../bystanders.ts";
import { demandTotal, flood } from "../flood.ts";
import { openTenant } from "../open-tenant.ts";

const dayMs = 86_400_000;
const days = 100;
/** Of every day, so that a visit ends each night: the profile keeps the latest visits only. */
const activeMs = 10 * 3_600_000;
/** Folding anew takes about 12 µs of CPU an event and holds up its partition: with a million events that is most of what others wait. */
const othersMsMax = 60_000;

export default defineAttack({
  name: "giant-profile",
  does: "one customer has nearly all events of a tenant, as many as a million; then some come that are older than all its state keeps",
  holds: "the profile is folded anew and counts every event, while others of that tenant and of another wait for one such fold at most",
  async run(arena) {
    await arena.begin();
    const tenant = await openTenant(arena.server.url, `giant ${arena.random.int(1e9)}`);
    const other = await openTenant(arena.server.url, `beside a giant ${arena.random.int(1e9)}`);
    const watch = watchBystanders(arena, [
      { who: "others of the giant's tenant", client: tenant.client }, { who: "another tenant than the giant's", client: other.client },
    ], othersMsMax);
    const countMax = arena.short ? 5_000 : 1_000_000;
    const first = Date.now() - days * dayMs;
    const at = (day: number, share: number): string => new Date(first + day * dayMs + Math.floor(share * activeMs)).toISOString();
    const perDay = countMax / days;
    const count = await flood(arena, tenant.client, {
      rowOf: (n) => ({ type: n % 50 === 0 ? "purchase" : "Viewed", eventId: `giant-${n}`, userId: "giant", timestamp: at(Math.floor(n / perDay), (n % perDay) / perDay), properties: { n, amount: 1 } }),
      countMax, msMax: arena.short ? 10_000 : 150_000, historical: true,
    });
    await untilProcessed(arena.server);
    arena.figures.most("events of one profile", count);
    const refolded = await readMeter(arena.server, "cdp_profiles_refolded");
    for (let n = 0; n < 3; n++) {
      const began = performance.now();
      // At night, between two visits that are no longer kept.
      await tenant.client.post("/api/cdp/events", { type: "Viewed", eventId: `old-${n}`, userId: "giant", timestamp: at(n * 10, 1.5) });
      await untilProcessed(arena.server);
      arena.figures.time("an old event of the giant", performance.now() - began);
    }
    const anew = (await readMeter(arena.server, "cdp_profiles_refolded")) - refolded;
    arena.figures.add("times the giant was folded anew", anew);
    arena.demand(anew > 0, "the old events did not need what the state does not keep: the attack is too tame");
    await watch.stop();
    const profile = await tenant.client.lookup("external_id", "giant");
    const purchases = Math.ceil(count / 50);
    arena.demand(profile?.totalEvents === count + 3 && profile.totalPurchases === purchases && profile.totalRevenue === purchases,
      `the giant has ${profile?.totalEvents} of ${count + 3} events, ${profile?.totalPurchases} of ${purchases} purchases`);
    await demandTotal(arena, tenant.client, count + 3);
    await arena.send(arena.write(50));
    await arena.settle();
  },
});
