import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import { meterHelp, type MeterName, type Meters } from "../contracts/meters.ts";

const isGauge = (name: MeterName): boolean => meterHelp[name].endsWith("(gauge)");

/** Reading a gauge must not cost the others: one that fails shows as not a number. */
function readSafely(read: () => number): number {
  try {
    return read();
  } catch {
    return Number.NaN;
  }
}

/** The meters of one process, every name present from the start, and those of Node itself. `text` is Prometheus' format. */
export function createMeters(): Meters & { text(): Promise<string> } {
  const registry = new Registry();
  const counters = new Map<MeterName, Counter>();
  const readers = new Map<MeterName, () => number>();
  for (const name of Object.keys(meterHelp) as MeterName[]) {
    const options = { name, help: meterHelp[name], registers: [registry] };
    if (!isGauge(name)) {
      counters.set(name, new Counter(options));
      continue;
    }
    new Gauge({
      ...options,
      collect() {
        this.set(readSafely(readers.get(name) ?? (() => 0)));
      },
    });
  }
  collectDefaultMetrics({ register: registry });

  return {
    add(name, by = 1) {
      const counter = counters.get(name);
      if (!counter) throw new Error(`${name} is a gauge: it is read, not added to`);
      counter.inc(by);
    },
    gauge(name, read) {
      if (!isGauge(name)) throw new Error(`${name} is a counter: it is added to, not read`);
      readers.set(name, read);
    },
    text: () => registry.metrics(),
  };
}
