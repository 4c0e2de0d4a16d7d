import { join } from "node:path";
import { superuser } from "../src/stores/postgres/embedded/init-cluster.ts";
import { connectPostgres } from "../src/stores/postgres/pool.ts";
import { createFilledServer, drainBacklog, drainDetail, type Drain } from "./drain-backlog.ts";
import type { Figure } from "./figure.ts";
import { measureFloor, type FloorResult } from "./floor.ts";
import { startGenerator } from "./generator.ts";
import { findHighestRate, stepDetail, type Step } from "./live-load.ts";
import type { MeasuredServer } from "./measured-server.ts";
import { environmentOption, numberOption, type Options } from "./options.ts";
import { mean, round } from "./statistics.ts";

/** Events a batch of the server (`batchMax` of 2-window). */
const batchDefault = 8_000;
const floorName = "the same bulk reads and writes, overlapped";
const goal = "≥ 0.5 × and ≥ 20,000/s";

interface Seen {
  drain: Drain;
  /** Size of a profile's packed aggregates, for the floor. */
  aggregatesBytes: number;
  steps: Step[];
}

/**
 * Events from the log to history and state. First with the log filled and the generator gone, then on the same server with a
 * generator sending; the floor before and after.
 * Options: profiles (200k), events (400k), rate (15k), step-seconds (20), steps (5), live (yes), floor (yes), batch (8k), seed, env.
 */
export async function benchEndToEnd(options: Options): Promise<Figure[]> {
  const profiles = numberOption(options, "profiles", 200_000);
  const events = numberOption(options, "events", 400_000);
  const seed = numberOption(options, "seed", 1);
  const batch = numberOption(options, "batch", batchDefault);
  const withFloor = options["floor"] !== "no";
  const floorOnce = (aggregatesBytes: number): Promise<FloorResult> =>
    measureFloor({ profiles, events: Math.min(events, 300_000), batch: Math.min(batch, events), aggregatesBytes, seed });

  const before = withFloor ? await floorOnce(aggregatesBytesGuess) : undefined;
  const { drain, aggregatesBytes, steps } = await measureServer({ profiles, events, seed, options });
  const floors = before ? [before, await floorOnce(aggregatesBytes)] : [];
  return [filledFigure(profiles, drain, floors), ...(steps.length > 0 ? liveFigures(profiles, steps) : [])];
}

/** Before a server has been asked; the second floor has the true size. */
const aggregatesBytesGuess = 100;

interface Measuring {
  profiles: number;
  events: number;
  seed: number;
  options: Options;
}

async function measureServer({ profiles, events, seed, options }: Measuring): Promise<Seen> {
  const server = await createFilledServer({ profiles, events, seed, env: environmentOption(options) });
  try {
    const drain = await drainBacklog(server, events);
    const aggregatesBytes = await averageAggregates(server);
    if (options["live"] === "no") return { drain, aggregatesBytes, steps: [] };
    const generator = await startGenerator({ url: server.url(), profiles, seed: seed + 1, run: "live" });
    const steps = await findHighestRate(server, generator, {
      rate: numberOption(options, "rate", 15_000), secondsPerStep: numberOption(options, "step-seconds", 20), stepsMax: numberOption(options, "steps", 5),
    });
    await generator.stop();
    return { drain, aggregatesBytes, steps };
  } finally {
    await server.remove();
  }
}

/** Of the profiles that had more than the warm-up's event. */
async function averageAggregates(server: MeasuredServer): Promise<number> {
  const db = connectPostgres({ host: join(server.dataDir, "postgres/run"), port: 5432, user: superuser, database: "tributary" });
  try {
    const [row] = await db.transaction((tx) => db.in(tx).query<{ bytes: number | null }>(
      "select avg(octet_length(aggregates))::float8 bytes from profile_hot where total_events > 1"));
    return Math.round(row?.bytes ?? aggregatesBytesGuess);
  } finally {
    await db.close();
  }
}

const thousands = (count: number): string => (count >= 1e6 ? `${count / 1e6} M` : `${count / 1e3} k`);

function filledFigure(profiles: number, drain: Drain, floors: FloorResult[]): Figure {
  const of = (pick: (floor: FloorResult) => number, digits = 0): number => round(mean(floors.map(pick)), digits);
  // What a machine has to do for an event, whatever else it did meanwhile.
  const cpuOfFloor = of(({ overlapped }) => overlapped.processMicrosPerEvent + overlapped.postgresMicrosPerEvent, 1);
  return {
    name: `end to end, filled log, ${thousands(profiles)} profiles`,
    value: round(drain.eventsPerS),
    unit: "events/s",
    goal,
    ...(floors.length > 0 && { floor: { name: floorName, value: of((floor) => floor.overlapped.eventsPerS) } }),
    detail: {
      ...drainDetail(drain),
      ...(floors.length > 0 && {
        "floor before and after": floors.map((floor) => round(floor.overlapped.eventsPerS)).join(", "),
        "floor, one batch after the other": of((floor) => floor.oneByOne.eventsPerS),
        "floor process CPU µs per event": of((floor) => floor.overlapped.processMicrosPerEvent, 1),
        "floor PostgreSQL CPU µs per event": of((floor) => floor.overlapped.postgresMicrosPerEvent, 1),
        "ratio of CPU time": round(cpuOfFloor / (drain.serverMicrosPerEvent + drain.postgresMicrosPerEvent), 2),
      }),
    },
  };
}

function liveFigures(profiles: number, steps: Step[]): Figure[] {
  const [asked] = steps as [Step];
  const held = steps.filter((step) => step.holds).sort((a, b) => b.rate - a.rate)[0];
  const name = `end to end, generator running, ${thousands(profiles)} profiles`;
  return [
    { name: `${name}, ${asked.rate}/s asked for`, value: round(asked.processedPerS), unit: "events/s", detail: stepDetail(asked) },
    {
      name: `${name}, highest rate that holds`, value: held?.rate ?? Number.NaN, unit: "events/s", goal: "≥ 20,000/s",
      detail: {
        ...(held && stepDetail(held)),
        "rates tried": steps.map((step) => `${step.rate} ${step.holds ? "held" : `grew by ${round(step.backlogPerS)}/s`}`).join(", "),
      },
    },
  ];
}
