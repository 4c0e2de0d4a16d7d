import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LogRecord } from "../../contracts/event-log.ts";
import { systemClock } from "../../core/clock.ts";
import { openLocalLog } from "./local-log.ts";

interface Acknowledged {
  position: number;
  count: number;
  batch: string;
}

const untilKilled = fileURLToPath(new URL("../../testing/log-until-killed.ts", import.meta.url));
const untilFull = fileURLToPath(new URL("../../testing/log-until-full.ts", import.meta.url));
let dir: string;

beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), "log-kill-")); });
afterEach(async () => { await rm(dir, { recursive: true, force: true }); });

/**
 * Lets a process append until it has acknowledged `appends` appends, kills it so many milliseconds later, that is at another
 * point of its next writes, and answers with all that it acknowledged.
 */
async function appendAndKill(name: string, appends: number, laterMs: number, ...more: string[]): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [untilKilled, dir, name, ...more], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === appends) setTimeout(() => child.kill("SIGKILL"), laterMs);
  }
  await closed;
  return lines.map((line) => line.split(" ")).filter((fields) => fields[2]?.startsWith(`${name}-`))
    .map(([position, count, batch = ""]) => ({ position: Number(position), count: Number(count), batch }));
}

async function readAll(): Promise<LogRecord[]> {
  const log = await openLocalLog({ dir, clock: systemClock });
  const records = await log.read(0, 0, Infinity, Infinity);
  expect(records.at(-1)?.position ?? log.head(0) - 1).toBe(log.head(0) - 1);
  await log.close();
  return records;
}

const contentOf = (record: LogRecord): string[] => Buffer.from(record.bytes).toString().split("/");

test("what was acknowledged before kill -9 is there afterwards, byte for byte, and no position is given twice", async () => {
  const acknowledged: Acknowledged[] = [];
  for (const [round, appends] of [40, 3, 200, 1, 120].entries()) {
    acknowledged.push(...await appendAndKill(`round${round}`, appends, round));
    const contents = new Map((await readAll()).map((record) => [record.position, contentOf(record).slice(0, 3).join("/")]));
    const lost = acknowledged.flatMap(({ position, count, batch }) => Array.from({ length: count }, (_, at) => ({ at, position, batch, count })))
      .filter(({ at, position, batch, count }) => contents.get(position + at) !== `${batch}/${count}/${at}`);
    expect(lost).toEqual([]);
  }
  const positions = acknowledged.flatMap(({ position, count }) => Array.from({ length: count }, (_, at) => position + at));
  expect(new Set(positions).size).toBe(positions.length);
  expect(positions.length).toBeGreaterThan(364);
});

test("kill -9 leaves each batch whole or not at all, its records on consecutive positions without a gap before them", async () => {
  for (const laterMs of [1, 3, 5, 8, 12, 17]) await appendAndKill(`after${laterMs}`, 20, laterMs);
  const records = await readAll();
  expect(records.map((record) => record.position)).toEqual(records.map((_, i) => i + 1));
  for (let i = 0; i < records.length;) {
    const [batch, count] = contentOf(records[i] as LogRecord);
    const run = records.slice(i, i + Number(count)).map((record) => contentOf(record).slice(0, 3));
    expect(run).toEqual(Array.from({ length: Number(count) }, (_, at) => [batch, count, String(at)]));
    i += Number(count);
  }
});

test("positions go on after kill -9 while segments are dropped", async () => {
  let highest = 0;
  for (const [round, appends] of [200, 60, 240].entries()) {
    const acknowledged = await appendAndKill(`round${round}`, appends, round, "0");
    expect(Math.min(...acknowledged.map(({ position }) => position))).toBeGreaterThan(highest);
    highest = Math.max(...acknowledged.map(({ position, count }) => position + count - 1));
  }
  const kept = await readAll();
  expect(kept.at(-1)?.position).toBeGreaterThanOrEqual(highest);
  expect(kept.at(0)?.position).toBeGreaterThan(1);
});

test("an append that the disk has no room for is rejected, leaves no gap, loses nothing, and the log goes on", async () => {
  const limited = "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\"";
  const child = spawn("sh", ["-c", limited, process.execPath, untilFull, dir], { stdio: ["ignore", "pipe", "ignore"] });
  const seen = await json(child.stdout) as Record<string, unknown>;
  const acknowledged = Number(seen["acknowledged"]);
  expect(acknowledged).toBeGreaterThan(0);
  expect(seen).toEqual({
    acknowledged, headAfterRejection: acknowledged + 1, checkAfterRejection: expect.any(String), next: acknowledged + 1,
    readable: acknowledged, inOrder: true, all: acknowledged + 100,
  });
});
