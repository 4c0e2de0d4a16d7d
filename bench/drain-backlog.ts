import { setTimeout as sleep } from "node:timers/promises";
import { fillDataDirectory } from "./log-filler.ts";
import { createMeasuredServer, type MeasuredServer, type Sample } from "./measured-server.ts";
import { since } from "./processes.ts";
import { round } from "./statistics.ts";
import { createWorkload } from "./workload.ts";

const pollMs = 200;
const memoryEveryMs = 2_000;
/** Nothing happening for so long means that something broke. */
const stalledMsMax = 120_000;
/** The middle of the run, as shares of the measured events done: neither its start nor its end. */
const middle = { from: 0.1, to: 0.9 };

/** What was seen while a filled log was worked off. */
export interface Drain {
  /** Events of the log that are in state, duplicates among them counted. */
  events: number;
  eventsPerS: number;
  /** The same between a tenth and nine tenths. */
  middlePerS: number;
  warmUpPerS: number;
  serverMicrosPerEvent: number;
  mainThreadMicrosPerEvent: number;
  postgresMicrosPerEvent: number;
  serverWrittenBytesPerEvent: number;
  postgresWrittenBytesPerEvent: number;
  /** Sum over all processes. */
  memoryMaxBytes: number;
  /** Seconds from "is ready" to the first sample that counts: the warm-up. */
  warmUpS: number;
}

export interface DrainOptions {
  profiles: number;
  events: number;
  seed?: number;
  env?: Record<string, string>;
}

/** A server on a data directory whose log holds everybody once and then `events` rows of the workload; not started yet. */
export async function createFilledServer({ profiles, events, seed = 1, env = {} }: DrainOptions): Promise<MeasuredServer> {
  const server = await createMeasuredServer(env);
  try {
    await fillDataDirectory(server.dataDir, createWorkload({ profiles, seed, run: "filled" }), { warmUp: true, events });
    return server;
  } catch (error) {
    await server.remove();
    throw error;
  }
}

/**
 * Starts a filled server and watches it until nothing waits. The clock runs from the moment when the backlog has come down to
 * `events`, so that start-up and warm-up are left out, to backlog 0. The generator has ended before.
 */
export async function drainBacklog(server: MeasuredServer, events: number): Promise<Drain> {
  await server.start();
  const readyMs = performance.now();
  const samples: Sample[] = [];
  let memoryMaxBytes = 0;
  let lookedMs = -Infinity;
  let movedMs = performance.now();
  for (;;) {
    const sample = await server.sample();
    const last = samples.at(-1);
    if (last === undefined || sample.backlog !== last.backlog) movedMs = sample.atMs;
    else if (sample.atMs - movedMs > stalledMsMax) throw new Error(`the backlog has stood at ${sample.backlog} for ${stalledMsMax / 1000} s`);
    samples.push(sample);
    if (sample.atMs - lookedMs > memoryEveryMs) {
      const memory = server.memory();
      memoryMaxBytes = Math.max(memoryMaxBytes, memory.server + memory.postgres);
      lookedMs = performance.now();
    }
    if (sample.backlog === 0) break;
    await sleep(pollMs);
  }
  return { ...describe(samples, events), memoryMaxBytes, warmUpS: round((warmUpEnd(samples, events).atMs - readyMs) / 1000, 1) };
}

/** Progress comes in batches: the sample that first shows one is when it was done, to the precision of a poll. */
const steps = (samples: Sample[]): Sample[] => samples.filter((sample, at) => at === 0 || sample.backlog !== samples[at - 1]?.backlog);
const warmUpEnd = (samples: Sample[], events: number): Sample => steps(samples).find((sample) => sample.backlog <= events) as Sample;

function describe(samples: Sample[], events: number): Omit<Drain, "memoryMaxBytes" | "warmUpS"> {
  const start = warmUpEnd(samples, events);
  const end = samples.at(-1) as Sample;
  const done = start.backlog - end.backlog;
  const seconds = (end.atMs - start.atMs) / 1000;
  const counted = steps(samples).filter((sample) => sample.atMs >= start.atMs);
  const from = counted.find((sample) => sample.backlog <= start.backlog * (1 - middle.from)) ?? start;
  const to = counted.findLast((sample) => sample.backlog >= start.backlog * (1 - middle.to)) ?? end;
  const first = samples[0] as Sample;
  const [server, postgres] = [since(end.server, start.server), since(end.postgres, start.postgres)];
  return {
    events: done,
    eventsPerS: done / seconds,
    middlePerS: to.atMs > from.atMs ? (from.backlog - to.backlog) / ((to.atMs - from.atMs) / 1000) : Number.NaN,
    warmUpPerS: (first.backlog - start.backlog) / ((start.atMs - first.atMs) / 1000),
    serverMicrosPerEvent: (server.cpuS / done) * 1e6,
    mainThreadMicrosPerEvent: (server.mainThreadCpuS / done) * 1e6,
    postgresMicrosPerEvent: (postgres.cpuS / done) * 1e6,
    serverWrittenBytesPerEvent: server.writtenBytes / done,
    postgresWrittenBytesPerEvent: postgres.writtenBytes / done,
  };
}

/** The numbers of a drain as the detail of a figure. */
export const drainDetail = (drain: Drain): Record<string, number> => ({
  events: drain.events,
  "events/s in the middle": round(drain.middlePerS),
  "events/s of the warm-up": round(drain.warmUpPerS),
  "server CPU µs per event": round(drain.serverMicrosPerEvent, 1),
  "of it main thread": round(drain.mainThreadMicrosPerEvent, 1),
  "PostgreSQL CPU µs per event": round(drain.postgresMicrosPerEvent, 1),
  "server bytes written per event": round(drain.serverWrittenBytesPerEvent),
  "PostgreSQL bytes written per event": round(drain.postgresWrittenBytesPerEvent),
  "PSS MB at most": round(drain.memoryMaxBytes / 1e6),
});
