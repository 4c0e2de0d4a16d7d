import { setTimeout as pause } from "node:timers/promises";
import { type CommitStep, commitSteps } from "../../../contracts/commit-step.ts";
import { untilProcessed } from "../../server-client.ts";
import { type Arena, comesTrue } from "../arena.ts";
import { defineAttack } from "../attack.ts";
import { type FaultReport, killTargets, type KillTarget } from "../fault-orders.ts";

const reachedMsMax = 30_000;
/** Longer than the window, so that what is sent in turn comes in batches of its own. */
const waveMs = 200;

/** Kills at the n-th time of a step; `owned` is reached by starting, every other step by sending. */
async function killAt(arena: Arena, step: CommitStep, target: KillTarget): Promise<void> {
  const { server } = arena;
  let struck = false;
  server.onMessage = (message) => (struck ||= (message as FaultReport).kind === "struck");
  const order = { kind: "arm", step, nth: step === "owned" ? 1 : 1 + arena.random.int(3), target } as const;
  if (step === "owned") {
    await server.kill();
    server.launch();
  }
  arena.order(order);
  // Goes on until it strikes: how many batches the events come in is up to the machine.
  const endMs = performance.now() + reachedMsMax;
  const sendOn = async (): Promise<void> => {
    do {
      await arena.send(arena.write(arena.short ? 60 : 150));
      await pause(waveMs);
    } while (!struck && performance.now() < endMs);
  };
  const sending = sendOn();
  sending.catch(() => undefined);
  if (!(await comesTrue(step, () => struck, reachedMsMax))) {
    arena.demand(false, `${step} was not reached in ${reachedMsMax} ms`);
    await server.kill();
    await arena.start();
    return sending;
  }
  const began = performance.now();
  if (target.startsWith("server")) {
    await server.ended();
    await arena.start();
  } else {
    await server.ready();
  }
  await sending;
  await untilProcessed(server);
  arena.figures.time("recovered after a kill at a step", performance.now() - began);
  arena.figures.add("kills survived: at a step of the commit protocol");
}

export default defineAttack({
  name: "kill-at-steps",
  does: "kill -9 of the server, of PostgreSQL or of both right after each step of the commit protocol",
  holds: "the same as after a kill at a random moment",
  async run(arena) {
    await arena.begin();
    const targets = arena.short ? [arena.random.pick(["server", "server+postgres"] as const)] : arena.random.some(killTargets, 3);
    for (const target of targets) {
      const steps = arena.random.shuffle(commitSteps);
      for (const step of arena.short ? steps.slice(0, 3) : steps) await killAt(arena, step, target);
    }
    await arena.settle();
  },
});
