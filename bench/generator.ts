import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { GeneratorReport, GeneratorTask } from "./generator/program.ts";
import { adminKey, keepTrackOf } from "./start-server.ts";
import { rowsPerRequest } from "./log-filler.ts";

/** A process that sends the workload to a server, in batches, as fast as it is told. */
export interface Generator {
  /** Events a second from now on; 0 pauses. */
  setRate(eventsPerS: number): void;
  /** What it said last, at most a second ago. */
  report(): GeneratorReport;
  /** Throws when it has ended by itself. */
  check(): void;
  stop(): Promise<void>;
}

const connections = 8;

/** Starts a generator that sends nothing yet. `run` makes its event ids its own. */
export async function startGenerator({ url, profiles, seed, run }: Pick<GeneratorTask, "url" | "profiles" | "seed" | "run">): Promise<Generator> {
  const task: GeneratorTask = { url, profiles, seed, run, key: adminKey, rowsPerRequest, connections };
  const child = keepTrackOf(fork(fileURLToPath(new URL("generator/program.ts", import.meta.url)), [JSON.stringify(task)]));
  let report: GeneratorReport = { accepted: 0, turnedAway: 0, cpuS: 0 };
  child.on("message", (message) => (report = message as GeneratorReport));
  const ended = once(child, "exit");
  await once(child, "message");
  return {
    setRate: (rate) => void child.send({ rate }),
    report: () => report,
    check() {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the generator ended with ${child.exitCode ?? child.signalCode}`);
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
