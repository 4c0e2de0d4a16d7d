import { setTimeout as sleep } from "node:timers/promises";
import { createFilledServer } from "./drain-backlog.ts";
import type { Figure } from "./figure.ts";
import { startGenerator, type Generator } from "./generator.ts";
import type { MeasuredServer } from "./measured-server.ts";
import { environmentOption, numberOption, type Options } from "./options.ts";
import { startSlowReader } from "./slow-reader.ts";
import { median, round } from "./statistics.ts";

const sampleMs = 5_000;
/** Enough that there is always something to work on while the door is shut. */
const logLimitDefault = "3GB";
const curveColumns = 60;
const bars = "▁▂▃▄▅▆▇█";

interface Moment {
  serverBytes: number;
  postgresBytes: number;
  backlog: number;
  processedPerS: number;
  turnedAway: number;
}

/**
 * Full load for a while: a generator that sends more than can be processed, so that the log fills up to its limit and the door
 * turns senders away, and one reader who takes long answers byte by byte. Prints how memory, backlog and rate went.
 * Options: minutes (15), rate (30k), profiles (200k), log-limit (3GB), seed, env.
 */
export async function benchSoak(options: Options): Promise<Figure[]> {
  const profiles = numberOption(options, "profiles", 200_000);
  const seed = numberOption(options, "seed", 1);
  const env = { LOG_BYTES_MAX: options["log-limit"] ?? logLimitDefault, ...environmentOption(options) };
  const server = await createFilledServer({ profiles, events: 0, seed, env });
  try {
    await server.start();
    await untilIdle(server);
    const generator = await startGenerator({ url: server.url(), profiles, seed: seed + 1, run: "soak" });
    const reader = startSlowReader(server.url());
    generator.setRate(numberOption(options, "rate", 30_000));
    const moments = await watch(server, generator, numberOption(options, "minutes", 15) * 60_000);
    reader.stop();
    await generator.stop();
    const { bytes, answers } = reader.progress();
    return [memoryFigure(moments), rateFigure(moments), backlogFigure(moments, `${bytes} bytes of ${answers} answers`)];
  } finally {
    await server.remove();
  }
}

/** Until everybody of the workload is there. */
async function untilIdle(server: MeasuredServer): Promise<void> {
  while ((await server.sample()).backlog > 0) await sleep(500);
}

async function watch(server: MeasuredServer, generator: Generator, ms: number): Promise<Moment[]> {
  const moments: Moment[] = [];
  const endMs = performance.now() + ms;
  let last = await server.sample();
  while (performance.now() < endMs) {
    await sleep(sampleMs);
    generator.check();
    const sample = await server.sample();
    const memory = server.memory();
    moments.push({
      serverBytes: memory.server, postgresBytes: memory.postgres, backlog: sample.backlog,
      processedPerS: (sample.processed - last.processed) / ((sample.atMs - last.atMs) / 1000), turnedAway: generator.report().turnedAway,
    });
    last = sample;
  }
  return moments;
}

/** The values as a line of bars from 0 to the largest, each the mean of its share of the time. */
function curve(values: number[]): string {
  const max = Math.max(...values);
  const columns = Math.min(curveColumns, values.length);
  return Array.from({ length: columns }, (_, at) => {
    const own = values.slice(Math.floor((at * values.length) / columns), Math.floor(((at + 1) * values.length) / columns));
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    return bars[Math.min(bars.length - 1, Math.floor((mean / max) * bars.length))] ?? bars[0];
  }).join("");
}

const third = (values: number[], which: 0 | 2): number[] => values.slice(Math.floor((which * values.length) / 3), Math.ceil(((which + 1) * values.length) / 3));

function courseOf(values: number[], digits = 0): Record<string, number | string> {
  const [first, last] = [median(third(values, 0)), median(third(values, 2))];
  return {
    "median of the first third": round(first, digits), "median of the last third": round(last, digits),
    "last third to first": round(last / first, 2), "largest": round(Math.max(...values), digits),
    "course": curve(values), "every minute": values.filter((_, at) => at % (60_000 / sampleMs) === 0).map((value) => round(value, digits)).join(", "),
  };
}

const megabytes = (bytes: number): number => bytes / 1e6;

function memoryFigure(moments: Moment[]): Figure {
  const all = moments.map(({ serverBytes, postgresBytes }) => megabytes(serverBytes + postgresBytes));
  return {
    name: "memory of all processes under full load, at most", value: round(Math.max(...all)), unit: "MB (PSS)", goal: "≤ 2,000, flat",
    detail: {
      ...courseOf(all),
      "server, median of the last third": round(median(third(moments.map(({ serverBytes }) => megabytes(serverBytes)), 2))),
      "PostgreSQL, median of the last third": round(median(third(moments.map(({ postgresBytes }) => megabytes(postgresBytes)), 2))),
    },
  };
}

function rateFigure(moments: Moment[]): Figure {
  const rates = moments.map(({ processedPerS }) => processedPerS);
  return { name: "events processed under full load, median", value: round(median(rates)), unit: "events/s", detail: courseOf(rates) };
}

function backlogFigure(moments: Moment[], read: string): Figure {
  const backlogs = moments.map(({ backlog }) => backlog);
  return {
    name: "backlog under full load, at most", value: Math.max(...backlogs), unit: "events",
    detail: { ...courseOf(backlogs), "batches turned away with 503": moments.at(-1)?.turnedAway ?? 0, "the slow reader took": read },
  };
}
