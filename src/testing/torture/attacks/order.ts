import { untilProcessed } from "../../server-client.ts";
import { defineAttack } from "../attack.ts";
import { introduceCustomers } from "../introduce-customers.ts";
import { repeatSome, replaySome } from "../repeat-events.ts";

const graceMs = 2000;

export default defineAttack({
  name: "order",
  does: "live and imported events of two days in any order and batches, late ones within and beyond the grace, repeated as they were and with other content, links that conflict, come late and are shared",
  holds: "profiles are what the reference makes of what was accepted first; what is late at a quarantine source is held, and nothing else",
  async run(arena) {
    for (let round = 0; round < (arena.short ? 1 : 3); round++) {
      await arena.begin({ graceMs, people: arena.random.pick([6, 20, 60]), ageMsMax: arena.random.pick([10_000, 3_600_000, 48 * 3_600_000, 60 * 86_400_000]) });
      await introduceCustomers(arena);
      for (let turn = 0; turn < 3; turn++) {
        const drafts = arena.write(arena.short ? 200 : 500);
        await arena.send(drafts.map((own) => arena.random.shuffle(own)));
        await arena.send(repeatSome(arena));
      }
      await untilProcessed(arena.server);
      await replaySome(arena);
      await arena.settle();
    }
  },
});
