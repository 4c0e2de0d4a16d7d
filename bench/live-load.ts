import { setTimeout as sleep } from "node:timers/promises";
import type { Generator } from "./generator.ts";
import type { MeasuredServer, Sample } from "./measured-server.ts";
import { since } from "./processes.ts";
import { round, slopeOf } from "./statistics.ts";

const pollMs = 250;
/** Until the first events of a new rate have come through the window of 5 s. */
const settleMs = 8_000;
/** Grown by less than this share of what came in, the backlog stands. */
const growthMax = 0.02;
/** The rate after one that held, and after one that did not. */
const stepUp = 1.2;
const drainedBelowS = 8;

/** What was seen at one rate of arrival. */
export interface Step {
  /** Events a second the generator was told to send, and those that were accepted. */
  rate: number;
  acceptedPerS: number;
  processedPerS: number;
  /** Events a second by which the backlog grows. */
  backlogPerS: number;
  backlogEnd: number;
  holds: boolean;
  serverMicrosPerEvent: number;
  mainThreadMicrosPerEvent: number;
  postgresMicrosPerEvent: number;
  generatorMicrosPerEvent: number;
  memoryMaxBytes: number;
}

/** Sends at one rate for a while and looks whether processing keeps up. The first seconds fill the window and do not count. */
export async function tryRate(server: MeasuredServer, generator: Generator, rate: number, seconds: number): Promise<Step> {
  generator.setRate(rate);
  await sleep(settleMs);
  const generatorBefore = generator.report();
  const samples: Sample[] = [await server.sample()];
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    await sleep(pollMs);
    generator.check();
    samples.push(await server.sample());
  }
  const memory = server.memory();
  return { ...describe(rate, samples, generator, generatorBefore), memoryMaxBytes: memory.server + memory.postgres };
}

function describe(rate: number, samples: Sample[], generator: Generator, generatorBefore: { accepted: number; cpuS: number }): Omit<Step, "memoryMaxBytes"> {
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  const seconds = (last.atMs - first.atMs) / 1000;
  const acceptedPerS = (last.accepted - first.accepted) / seconds;
  const processed = last.processed - first.processed;
  // Batches come off the backlog at once: a line through all samples, not the difference of two.
  const backlogPerS = slopeOf(samples.map(({ atMs, backlog }) => ({ x: atMs / 1000, y: backlog })));
  const [server, postgres] = [since(last.server, first.server), since(last.postgres, first.postgres)];
  const after = generator.report();
  return {
    rate, acceptedPerS, processedPerS: processed / seconds, backlogPerS, backlogEnd: last.backlog,
    holds: acceptedPerS > rate * (1 - growthMax) && backlogPerS < rate * growthMax,
    serverMicrosPerEvent: (server.cpuS / processed) * 1e6,
    mainThreadMicrosPerEvent: (server.mainThreadCpuS / processed) * 1e6,
    postgresMicrosPerEvent: (postgres.cpuS / processed) * 1e6,
    generatorMicrosPerEvent: ((after.cpuS - generatorBefore.cpuS) / (after.accepted - generatorBefore.accepted)) * 1e6,
  };
}

export interface LiveOptions {
  /** The rate that is reported in any case. */
  rate: number;
  secondsPerStep: number;
  /** Rates tried to find the highest that holds, the given one not counted. */
  stepsMax: number;
}

/** Tries the given rate, then steps up while the backlog stands, or down until it does, and once between the two. */
export async function findHighestRate(server: MeasuredServer, generator: Generator, { rate, secondsPerStep, stepsMax }: LiveOptions): Promise<Step[]> {
  const steps = [await tryRate(server, generator, rate, secondsPerStep)];
  let held = steps[0]?.holds ? rate : 0;
  let failed = steps[0]?.holds ? Infinity : rate;
  while (steps.length <= stepsMax) {
    const next = Math.round(failed === Infinity ? held * stepUp : held === 0 ? failed / stepUp : (held + failed) / 2);
    if (held > 0 && failed / held < 1.05) break;
    await drain(server, generator, next);
    const step = await tryRate(server, generator, next, secondsPerStep);
    steps.push(step);
    if (step.holds) held = next;
    else failed = next;
  }
  generator.setRate(0);
  return steps;
}

/** Pauses until no more waits than the window holds at this rate. */
async function drain(server: MeasuredServer, generator: Generator, rate: number): Promise<void> {
  while ((await server.sample()).backlog > rate * drainedBelowS) {
    generator.setRate(0);
    await sleep(pollMs);
  }
}

export const stepDetail = (step: Step): Record<string, number | string> => ({
  "events/s accepted": round(step.acceptedPerS),
  "events/s processed": round(step.processedPerS),
  "backlog grows by, events/s": round(step.backlogPerS),
  "backlog at the end": step.backlogEnd,
  "keeps up": step.holds ? "yes" : "no",
  "server CPU µs per event": round(step.serverMicrosPerEvent, 1),
  "of it main thread": round(step.mainThreadMicrosPerEvent, 1),
  "PostgreSQL CPU µs per event": round(step.postgresMicrosPerEvent, 1),
  "generator CPU µs per event": round(step.generatorMicrosPerEvent, 1),
  "PSS MB at the end": round(step.memoryMaxBytes / 1e6),
});
