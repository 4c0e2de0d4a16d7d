import { createFilledServer, drainBacklog, drainDetail, type Drain } from "./drain-backlog.ts";
import type { Figure } from "./figure.ts";
import { environmentOption, numberOption, type Options } from "./options.ts";
import { median, round } from "./statistics.ts";

const sizesDefault = "20k,200k,2M";

/**
 * How the rate from a filled log falls while the number of profiles grows. The sizes take turns, round after round, and the
 * median of each counts, so that what else the machine does falls on all.
 * Options: sizes (20k,200k,2M), events (400k), rounds (1), seed, env.
 */
export async function benchGrowth(options: Options): Promise<Figure[]> {
  const sizes = (options["sizes"] ?? sizesDefault).split(",").map((size) => numberOption({ size }, "size", 0));
  const events = numberOption(options, "events", 400_000);
  const rounds = numberOption(options, "rounds", 1);
  const seed = numberOption(options, "seed", 1);
  const drains = new Map<number, Drain[]>(sizes.map((profiles) => [profiles, []]));
  for (let at = 0; at < rounds; at++) {
    for (const profiles of sizes) {
      process.stderr.write(`round ${at + 1} of ${rounds}: ${profiles} profiles\n`);
      const server = await createFilledServer({ profiles, events, seed, env: environmentOption(options) });
      drains.get(profiles)?.push(await drainBacklog(server, events).finally(() => server.remove()));
    }
  }
  return [...sizes.map((profiles) => rateFigure(profiles, drains.get(profiles) ?? [])), ...fallFigures(sizes, drains)];
}

const rateOf = (drains: Drain[]): number => median(drains.map((drain) => drain.eventsPerS));

const named = (profiles: number): string => profiles.toLocaleString("en-US");

function rateFigure(profiles: number, drains: Drain[]): Figure {
  const rate = rateOf(drains);
  const typical = drains.find((drain) => drain.eventsPerS === rate) as Drain;
  return {
    name: `end to end, filled log, ${named(profiles)} profiles`, value: round(rate), unit: "events/s",
    detail: { ...drainDetail(typical), "rates of all rounds": drains.map((drain) => round(drain.eventsPerS)).join(", ") },
  };
}

/** From each size to the next; sizes need not be ten times each other, so the fall is brought to a factor of ten. */
function fallFigures(sizes: number[], drains: Map<number, Drain[]>): Figure[] {
  return sizes.slice(1).map((profiles, at) => {
    const smaller = sizes[at] as number;
    const kept = rateOf(drains.get(profiles) ?? []) / rateOf(drains.get(smaller) ?? []);
    const perTenfold = kept ** (1 / Math.log10(profiles / smaller));
    return { name: `growth, ${named(smaller)} to ${named(profiles)} profiles: the rate falls per 10 × by`, value: round((1 - perTenfold) * 100, 1), unit: "%", goal: "< 20 %" };
  });
}
