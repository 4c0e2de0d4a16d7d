import { untilProcessed } from "../../server-client.ts";
import { comesTrue } from "../arena.ts";
import { defineAttack } from "../attack.ts";

const logBytesMax = 2 * 1024 ** 2;
const fullMsMax = 30_000;
const drainedMsMax = 30_000;

export default defineAttack({
  name: "log-full",
  does: "PostgreSQL stands still until the log has reached its limit",
  holds: "events are then answered 503 with Retry-After; when PostgreSQL goes on the log is worked off and removed, and events are accepted without a restart",
  async run(arena) {
    const { server } = arena;
    await arena.begin({ env: { LOG_BYTES_MAX: String(logBytesMax) }, people: 100 });
    await arena.send(arena.write(50));
    await untilProcessed(server);
    const refused = arena.sender.figures.refused503;
    const sendings: Promise<void>[] = [];
    server.signalPostgres("SIGSTOP", "all");
    try {
      const isFull = (): boolean => arena.sender.figures.refused503 > refused;
      for (let wave = 0; wave < 40 && !isFull(); wave++) {
        sendings.push(arena.send(arena.write(150)));
        sendings.at(-1)?.catch(() => undefined);
        await Promise.race([sendings.at(-1), comesTrue("full", isFull, 5000)]);
      }
      arena.demand(await comesTrue("full", isFull, fullMsMax), "events were not refused when the log should have been at its limit");
      arena.demand(!(await arena.health()).accepting, "health says that events are taken while the log is at its limit");
    } finally {
      server.signalPostgres("SIGCONT", "all");
    }
    const began = performance.now();
    const isTaken = await Promise.race([Promise.all(sendings).then(() => true), comesTrue("nothing", () => false, drainedMsMax)]);
    arena.demand(isTaken, `events are still refused ${drainedMsMax} ms after PostgreSQL went on, though all the log is processed`);
    if (!isTaken) {
      // With the usual limit, so that what was sent is answered in the end.
      await server.stop();
      await server.start({ LOG_BYTES_MAX: "1GB" });
    }
    await Promise.all(sendings);
    arena.figures.time("accepted again after the log was full", performance.now() - began);
    await untilProcessed(server);
    await arena.settle();
  },
});
