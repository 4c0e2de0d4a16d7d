import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Load, LoadResult } from "./accept/load-result.ts";
import { makeDirectory, startFloor, startOurs, type Target } from "./accept/servers.ts";
import type { Figure } from "./figure.ts";

const loadFile = fileURLToPath(new URL("accept/load.ts", import.meta.url));
const batchRows = 200;
const floorName = "Fastify route that parses and puts into LMDB";
const processing = "none: PostgreSQL cannot be reached";

type Shape = Pick<Load, "batch" | "connections" | "ms" | "rate">;

interface Round extends LoadResult {
  eventsPerSecond: number;
  /** CPU of the server process for one event. */
  cpuMicros: number;
  /** Share of one core that the generator used. */
  generatorShare: number;
}

/** Puts load on a server from a process of its own. */
async function measure(target: Target, shape: Shape): Promise<Round> {
  const { port, key, paths } = target;
  const load: Load = { port, key, path: shape.batch > 0 ? paths.batch : paths.single, ...shape };
  const cpuBefore = target.cpuSeconds();
  const child = spawn(process.execPath, [loadFile, JSON.stringify(load)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`the generator ended with ${code}`);
  const result = JSON.parse(output) as LoadResult;
  const cpuMicros = (target.cpuSeconds() - cpuBefore) / result.events * 1e6;
  return { ...result, eventsPerSecond: result.events / result.seconds, cpuMicros, generatorShare: result.cpuSeconds / result.seconds };
}

const median = (figures: number[]): number => figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0;
const middle = (rounds: Round[], pick: (round: Round) => number): number => median(rounds.map(pick));
const rounded = (value: number): number => Number(value.toPrecision(4));

/** Alternates ours and floor, so that whatever else the machine does falls on both. The first round of each warms up and does not count. */
async function alternate(ours: Target, floor: Target, rounds: number, shape: Shape): Promise<{ ours: Round[]; floor: Round[] }> {
  const measured = { ours: [] as Round[], floor: [] as Round[] };
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = [await measure(ours, shape), await measure(floor, shape)];
    if (round === 0) continue;
    measured.ours.push(a);
    measured.floor.push(b);
  }
  return measured;
}

function rateFigure(name: string, goal: string, { ours, floor }: { ours: Round[]; floor: Round[] }): Figure {
  const rate = (round: Round): number => round.eventsPerSecond;
  return {
    name, goal, unit: "events/s",
    value: Math.round(middle(ours, rate)),
    floor: { name: floorName, value: Math.round(middle(floor, rate)) },
    detail: {
      cpuMicrosPerEvent: rounded(middle(ours, (round) => round.cpuMicros)),
      cpuMicrosPerEventOfFloor: rounded(middle(floor, (round) => round.cpuMicros)),
      p50Ms: rounded(middle(ours, (round) => round.p50)),
      p99Ms: rounded(middle(ours, (round) => round.p99)),
      generatorShareOfOneCore: rounded(middle(ours, (round) => round.generatorShare)),
      processing,
    },
  };
}

function latencyFigure(rate: number, { ours, floor }: { ours: Round[]; floor: Round[] }): Figure {
  return {
    name: "accept, one event a request, p99 at half load", goal: "< 25 ms", unit: "ms",
    value: rounded(middle(ours, (round) => round.p99)),
    floor: { name: `${floorName}, at the same rate`, value: rounded(middle(floor, (round) => round.p99)) },
    detail: {
      requestsPerSecond: Math.round(rate),
      p50Ms: rounded(middle(ours, (round) => round.p50)),
      p50MsOfFloor: rounded(middle(floor, (round) => round.p50)),
      maxMs: rounded(Math.max(...ours.map((round) => round.max))),
    },
  };
}

/**
 * Accepting over HTTP until it is durable, one event a request and in batches of 200, beside the floor. Options: `rounds` (5),
 * `seconds` of a round (3), `connections` of single events (64) and of batches (16).
 */
export async function benchAccept(options: Record<string, string | undefined>): Promise<Figure[]> {
  const rounds = Number(options["rounds"] ?? 5);
  const ms = Number(options["seconds"] ?? 3) * 1000;
  const connections = Number(options["connections"] ?? 64);
  const directory = await makeDirectory();
  const targets: Target[] = [];
  try {
    const ours = await startOurs(directory.ours);
    targets.push(ours);
    const floor = await startFloor(directory.floor);
    targets.push(floor);
    const single = await alternate(ours, floor, rounds, { batch: 0, connections, ms });
    const half = middle(single.ours, (round) => round.eventsPerSecond) / 2;
    const paced = await alternate(ours, floor, Math.ceil(rounds / 2), { batch: 0, connections, ms, rate: half });
    const batched = await alternate(ours, floor, rounds, { batch: batchRows, connections: Number(options["batch-connections"] ?? 16), ms });
    return [
      rateFigure("accept, one event a request", "≥ 0.7 × (about 8–10 k/s)", single),
      latencyFigure(half, paced),
      rateFigure(`accept, batches of ${batchRows}`, "≥ 0.6 × (about 70 k events/s)", batched),
    ];
  } finally {
    for (const target of targets) await target.stop();
    directory.remove();
  }
}
