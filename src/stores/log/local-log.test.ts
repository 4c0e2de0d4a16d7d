import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventLog, LogRecord } from "../../contracts/event-log.ts";
import { openLocalLog } from "./local-log.ts";
import { segmentPath } from "./segment-directories.ts";

const segmentBytesMax = 100_000;
const segmentAgeMsMax = 1000;
const kilobyte = (text: string): Buffer => Buffer.from(text.padEnd(1000, "."));
const texts = (records: LogRecord[]): string[] => records.map(({ bytes }) => Buffer.from(bytes).toString().replace(/\.+$/, ""));
const positions = (records: LogRecord[]): number[] => records.map((record) => record.position);
const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, i) => from + i);

let dir: string;
let now: number;
let log: EventLog;
const open = (): Promise<EventLog> => openLocalLog({ dir, segmentBytesMax, segmentAgeMsMax, clock: { now: () => now } });
const segmentNames = async (): Promise<string[]> => (await readdir(dir)).filter((name) => name !== "log-id").sort();

async function reopen(): Promise<void> {
  await log.close();
  log = await open();
}

async function appendOld(count: number): Promise<void> {
  await log.append(0, upTo(count, log.head(0)).map((position) => kilobyte(`r${position}`)));
  now += segmentAgeMsMax;
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "log-"));
  now = 1_000_000;
  log = await open();
});
afterEach(async () => {
  await log.close();
  await rm(dir, { recursive: true, force: true });
});

describe("segments", () => {
  test("are rolled by size", async () => {
    for (let i = 0; i < 30; i++) await log.append(0, upTo(10).map(() => kilobyte("x")));
    expect((await segmentNames()).length).toBeGreaterThan(2);
    expect(positions(await log.read(0, 0, 1000, 1e9))).toEqual(upTo(300));
  });

  test("are rolled by the age of their first record, and bear their first position", async () => {
    await log.append(0, [kilobyte("a")]);
    now += segmentAgeMsMax - 1;
    await log.append(0, [kilobyte("b")]);
    expect(await segmentNames()).toEqual(["0000000000000001"]);
    now += 1;
    await log.append(0, [kilobyte("c")]);
    expect(await segmentNames()).toEqual(["0000000000000001", "0000000000000003"]);
  });

  test("are made also where a try before left one that it could not make sure of", async () => {
    await appendOld(3);
    await mkdir(segmentPath(dir, 4));
    await writeFile(join(segmentPath(dir, 4), "data.mdb"), "half");
    expect(await log.append(0, [kilobyte("r4")])).toBe(4);
    await reopen();
    expect(texts(await log.read(0, 1, 10, 1e6))).toEqual(["r1", "r2", "r3", "r4"]);
  });

  test("keep their age over a restart", async () => {
    await log.append(0, [kilobyte("a")]);
    now += segmentAgeMsMax;
    await reopen();
    await log.append(0, [kilobyte("b")]);
    expect(await segmentNames()).toHaveLength(2);
  });

  test("are not rolled for their age while empty", async () => {
    now += 10 * segmentAgeMsMax;
    await log.append(0, [kilobyte("a")]);
    expect(await segmentNames()).toHaveLength(1);
  });
});

describe("dropping", () => {
  test("removes whole segments below the position and gives their space back", async () => {
    for (let i = 0; i < 3; i++) await appendOld(10);
    const before = log.stats().bytes;
    await log.dropBelow(0, 21);
    expect(await segmentNames()).toEqual(["0000000000000021"]);
    expect(log.stats().bytes).toBeLessThan(before / 2);
    expect(positions(await log.read(0, 1, 100, 1e9))).toEqual(upTo(10, 21));
  });

  test("keeps a segment that has one record at or above the position", async () => {
    for (let i = 0; i < 2; i++) await appendOld(10);
    await log.dropBelow(0, 10);
    expect(await segmentNames()).toHaveLength(2);
  });

  test("never removes the newest segment, and leaves a young one alone", async () => {
    await log.append(0, [kilobyte("a")]);
    await log.dropBelow(0, 1_000);
    expect(await segmentNames()).toEqual(["0000000000000001"]);
    expect(texts(await log.read(0, 1, 10, 1e6))).toEqual(["a"]);
  });

  test("begins a new segment when all of an old one was processed, so that an idle log keeps nothing", async () => {
    await appendOld(3);
    await log.dropBelow(0, 4);
    expect(await segmentNames()).toEqual(["0000000000000004"]);
    expect(log.stats().oldestAt).toBeUndefined();
  });
});

describe("reading", () => {
  test("goes on over the borders of segments and tells the head by an empty answer", async () => {
    for (let i = 0; i < 4; i++) await appendOld(5);
    expect(positions(await log.read(0, 4, 9, 1e9))).toEqual(upTo(9, 4));
    expect(await log.read(0, 21, 9, 1e9)).toEqual([]);
  });

  test("at positions answers in the order asked for, over the borders of segments, also twice the same", async () => {
    for (let i = 0; i < 4; i++) await appendOld(5);
    expect(texts(await log.readAt(0, [20, 1, 6, 5, 6]))).toEqual(["r20", "r1", "r6", "r5", "r6"]);
  });

  test.each([
    { position: 5, why: "dropped" },
    { position: 21, why: "not there yet" },
  ])("at a position that is $why is an error", async ({ position }) => {
    for (let i = 0; i < 4; i++) await appendOld(5);
    await log.dropBelow(0, 6);
    await expect(log.readAt(0, [10, position])).rejects.toThrow(`position ${position}`);
  });
});

describe("opening", () => {
  test("clears away a segment that was being made or removed when the process died", async () => {
    await appendOld(3);
    await log.close();
    for (const torn of ["0000000000000004-new", "0000000000000000-old"]) {
      await mkdir(join(dir, torn));
      await writeFile(join(dir, torn, "data.mdb"), "half of a page");
    }
    log = await open();
    expect(await segmentNames()).toEqual(["0000000000000001"]);
    expect(texts(await log.read(0, 1, 10, 1e6))).toEqual(["r1", "r2", "r3"]);
    await appendOld(1);
    expect(await segmentNames()).toEqual(["0000000000000001", "0000000000000004"]);
  });

  test("begins anew when the process died before the first segment was made", async () => {
    await log.close();
    await rm(join(dir, "0000000000000001"), { recursive: true });
    await mkdir(join(dir, "0000000000000001-new"));
    log = await open();
    expect(await log.append(0, [kilobyte("a")])).toBe(1);
  });

  test("is refused when the file with the id is gone, because positions would get another meaning", async () => {
    await log.close();
    await rm(join(dir, "log-id"));
    await expect(open()).rejects.toThrow("log-id");
  });
});

describe("state", () => {
  test("tells when the oldest record was appended, also after a restart and a drop", async () => {
    expect(log.stats().oldestAt).toBeUndefined();
    await appendOld(5);
    await appendOld(5);
    expect(log.stats().oldestAt).toBe(1_000_000);
    await reopen();
    expect(log.stats().oldestAt).toBe(1_000_000);
    await log.dropBelow(0, 6);
    expect(log.stats().oldestAt).toBe(1_000_000 + segmentAgeMsMax);
  });

  test("is checked by a write that takes no position", async () => {
    await log.check();
    expect(log.head(0)).toBe(1);
    expect(await log.read(0, 0, 10, 1e6)).toEqual([]);
  });

  test("has one shard", async () => {
    expect(log.shards).toEqual([0]);
    await expect(log.append(1, [kilobyte("a")])).rejects.toThrow("shard");
  });
});
