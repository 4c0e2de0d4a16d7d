import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventLog } from "../src/contracts/event-log.ts";
import { systemClock } from "../src/core/clock.ts";
import { openKafkaLog } from "../src/stores/kafka/kafka-log.ts";
import { openLocalLog } from "../src/stores/log/local-log.ts";
import { silentLog } from "../src/testing/silent-log.ts";
import type { Figure } from "./figure.ts";
import { numberOption, type Options } from "./options.ts";
import { median } from "./statistics.ts";

const recordBytes = 600;
const works = {
  "append, one record each, 64 at a time": { unit: "records/s", run: (log: EventLog, seconds: number) => append(log, seconds, 64, 1) },
  "append, batches of 200, 16 at a time": { unit: "records/s", run: (log: EventLog, seconds: number) => append(log, seconds, 16, 200) },
  "scan from the beginning": { unit: "records/s", run: scanAll },
  "read 500 positions of 5,000 neighbours, the latest": { unit: "records/s", run: readLatest },
};

/** Appends from several callers at a time. */
async function append(log: EventLog, seconds: number, callers: number, count: number): Promise<number> {
  const records = Array.from({ length: count }, () => randomBytes(recordBytes));
  const began = performance.now();
  let appended = 0;
  const work = async (): Promise<void> => {
    while (performance.now() - began < seconds * 1000) {
      await log.append(0, records);
      appended += count;
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
  return (appended / (performance.now() - began)) * 1000;
}

async function scanAll(log: EventLog): Promise<number> {
  const began = performance.now();
  let seen = 0;
  for (let next = 1, last = 0; next !== last; ) {
    last = next;
    next = await log.scan(0, next, 2000, () => { seen++; });
  }
  return (seen / (performance.now() - began)) * 1000;
}

/** As the window reads: neighbours of the last seconds, in another order and not all of them at once. */
async function readLatest(log: EventLog, seconds: number): Promise<number> {
  const began = performance.now();
  const head = log.head(0);
  let read = 0;
  for (let round = 0; performance.now() - began < seconds * 1000; round++) {
    const start = Math.max(1, head - 20_000 - (round % 10) * 5000);
    const positions = Array.from({ length: 500 }, (_, i) => start + ((i * 1237 + round) % 5000));
    read += (await log.readAt(0, positions.filter((position) => position < head))).length;
  }
  return (read / (performance.now() - began)) * 1000;
}

/** The local log beside Kafka, where KAFKA_BROKERS names one, in rounds that alternate. */
export async function benchLog(options: Options): Promise<Figure[]> {
  const seconds = numberOption(options, "seconds", 3);
  const rounds = numberOption(options, "rounds", 3);
  const brokers = (process.env["KAFKA_BROKERS"] ?? "").split(",").filter(Boolean);
  const dir = await mkdtemp(join(tmpdir(), "bench-log-"));
  const logs = new Map<string, EventLog>([["local", await openLocalLog({ dir, clock: systemClock })]]);
  if (brokers.length > 0) {
    logs.set("kafka", await openKafkaLog({ access: { brokers }, topic: { name: `bench-${randomUUID()}`, partitions: 1 }, clock: systemClock, logger: silentLog }));
  }
  const rates = new Map<string, number[]>();
  try {
    for (const [name, { run }] of Object.entries(works)) {
      for (let round = 0; round < rounds; round++) {
        for (const [which, log] of logs) {
          const key = `${which} ${name}`;
          rates.set(key, [...(rates.get(key) ?? []), await run(log, seconds)]);
        }
      }
    }
  } finally {
    for (const log of logs.values()) await log.close();
    await rm(dir, { recursive: true, force: true });
  }
  const rateOf = (which: string, name: string): number => median(rates.get(`${which} ${name}`) ?? []);
  return Object.entries(works).map(([name, { unit }]): Figure => {
    const floor = { name: "local log", value: rateOf("local", name) };
    return logs.has("kafka") ? { name: `Kafka: ${name}`, value: rateOf("kafka", name), unit, floor } : { name: `local log: ${name}`, value: floor.value, unit };
  });
}
