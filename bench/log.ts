import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { systemClock } from "../src/core/clock.ts";
import { openLocalLog } from "../src/stores/log/local-log.ts";

/**
 * Durable appends to the local event log, beside a floor: the same records put into a bare LMDB environment with its default
 * settings, answered after `flushed`. Short rounds alternate, so that whatever else the machine does falls on both; the median
 * counts, and so does the best, because flushes of other programs only ever slow a round down.
 * Run: node bench/log.ts [rounds]
 */
const rounds = Number(process.argv[2] ?? 25);
const roundMs = 100;
const record = Buffer.alloc(600, 120);
const dir = await mkdtemp(join(tmpdir(), "bench-log-"));

const log = await openLocalLog({ dir: join(dir, "log"), clock: systemClock });
const floor = open<Buffer, number>({ path: join(dir, "floor"), noSubdir: false, encoding: "binary", mapSize: 8_000_000_000 });
let key = 1;

async function putFlushed(records: Buffer[]): Promise<void> {
  if (records.length === 1) void floor.put(key++, record);
  else void floor.batch(() => { for (const one of records) void floor.put(key++, one); });
  await floor.flushed;
}

/** Records a second of `callers` that each write `batch` records again and again. */
async function measure(write: (records: Buffer[]) => Promise<unknown>, callers: number, batch: number): Promise<number> {
  const records = Array.from({ length: batch }, () => record);
  const start = performance.now();
  let written = 0;
  await Promise.all(Array.from({ length: callers }, async () => {
    while (performance.now() - start < roundMs) {
      await write(records);
      written += batch;
    }
  }));
  return written / (performance.now() - start) * 1000;
}

const median = (figures: number[]): number => figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0;
const thousands = (figure: number): string => `${(figure / 1000).toFixed(1)} k/s`.padStart(11);

for (const { callers, batch } of [{ callers: 1, batch: 1 }, { callers: 64, batch: 1 }, { callers: 1, batch: 200 }, { callers: 16, batch: 200 }]) {
  const ours: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round < rounds; round++) {
    floors.push(await measure(putFlushed, callers, batch));
    ours.push(await measure((records) => log.append(0, records), callers, batch));
  }
  const line = (name: string, pick: (figures: number[]) => number): string =>
    `${name} ${thousands(pick(ours))} of ${thousands(pick(floors))} (${(pick(ours) / pick(floors)).toFixed(2)})`;
  console.log(`${String(callers).padStart(2)} callers, ${String(batch).padStart(3)} records each, log of floor:`
    + ` ${line("median", median)}  ${line("best", (figures) => Math.max(...figures))}`);
}

const head = log.head(0);
const readCount = Math.min(head - 1, 200_000);
let start = performance.now();
for (let from = 1; from <= readCount;) from += (await log.read(0, from, 5000, 1e9)).length;
console.log(`reading in order, 5000 at a time: ${thousands(readCount / (performance.now() - start) * 1000)}`);
const scattered = Array.from({ length: readCount }, (_, i) => 1 + (i * 7919) % (head - 1));
start = performance.now();
for (let i = 0; i < readCount; i += 5000) await log.readAt(0, scattered.slice(i, i + 5000));
console.log(`reading at scattered positions:   ${thousands(readCount / (performance.now() - start) * 1000)}`);
console.log(`bytes on disk per record of ${record.length}: ${Math.round(log.stats().bytes / (head - 1))}`);

await log.close();
await floor.close();
await rm(dir, { recursive: true });
