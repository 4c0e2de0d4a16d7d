import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventLog, LogRecord } from "../contracts/event-log.ts";

/** A log that is empty at first, and can be closed and opened again. */
export interface LogUnderTest {
  open(): Promise<EventLog>;
  /** Removes what it kept. */
  remove(): Promise<void>;
}

const kilobyte = (text: string): Buffer => Buffer.from(text.padEnd(1000, "."));
const texts = (records: LogRecord[]): string[] => records.map(({ bytes }) => Buffer.from(bytes).toString().replace(/\.+$/, ""));
const positions = (records: LogRecord[]): number[] => records.map((record) => record.position);
const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, i) => from + i);

/** What every event log promises, whatever keeps it: `src/contracts/event-log.ts` in tests. */
export function describeEventLog(create: () => Promise<LogUnderTest>): void {
  let kept: LogUnderTest;
  let log: EventLog;

  async function reopen(): Promise<void> {
    await log.close();
    log = await kept.open();
  }
  const append = (count: number): Promise<number> => log.append(0, upTo(count, log.head(0)).map((position) => kilobyte(`r${position}`)));

  beforeEach(async () => {
    kept = await create();
    log = await kept.open();
  });
  afterEach(async () => {
    await log.close();
    await kept.remove();
  });

  describe("positions", () => {
    test("begin at 1 and grow by one, a batch taking consecutive ones", async () => {
      expect(log.head(0)).toBe(1);
      expect(await log.append(0, [kilobyte("a")])).toBe(1);
      expect(await log.append(0, [kilobyte("b"), kilobyte("c")])).toBe(2);
      expect(log.head(0)).toBe(4);
    });

    test("of appends made at once are disjoint, and each answer is where its records lie", async () => {
      const firsts = await Promise.all(upTo(100).map((i) => log.append(0, [kilobyte(`a${i}`), kilobyte(`b${i}`)])));
      expect(new Set(firsts).size).toBe(100);
      const found = await log.readAt(0, firsts.flatMap((first) => [first, first + 1]));
      expect(texts(found)).toEqual(upTo(100).flatMap((i) => [`a${i}`, `b${i}`]));
    });

    test("go on after a restart", async () => {
      await log.append(0, [kilobyte("a"), kilobyte("b")]);
      await reopen();
      expect(log.head(0)).toBe(3);
      expect(await log.append(0, [kilobyte("c")])).toBe(3);
    });

    test("go on after everything was dropped and the process restarted, twice", async () => {
      await append(5);
      for (let restart = 0; restart < 2; restart++) {
        await log.dropBelow(0, log.head(0));
        await reopen();
        expect(log.head(0)).toBe(6);
      }
      expect(await log.append(0, [kilobyte("f")])).toBe(6);
      expect(texts(await log.readAt(0, [6]))).toEqual(["f"]);
    });

    test("are not used up by an append of nothing", async () => {
      expect(await log.append(0, [])).toBe(1);
      expect(log.head(0)).toBe(1);
    });
  });

  describe("reading", () => {
    test("goes on from any position and tells the head by an empty answer", async () => {
      for (let i = 0; i < 4; i++) await append(5);
      expect(positions(await log.read(0, 4, 9, 1e9))).toEqual(upTo(9, 4));
      expect(positions(await log.read(0, 0, 100, 1e9))).toEqual(upTo(20));
      expect(await log.read(0, 21, 9, 1e9)).toEqual([]);
    });

    test.each([
      { recordsMax: 3, bytesMax: 1e9, expected: 3 },
      { recordsMax: 100, bytesMax: 2500, expected: 3 },
      { recordsMax: 100, bytesMax: 1, expected: 1 },
      { recordsMax: 0, bytesMax: 1e9, expected: 0 },
    ])("stops at $recordsMax records or about $bytesMax bytes", async ({ recordsMax, bytesMax, expected }) => {
      await append(20);
      expect(await log.read(0, 1, recordsMax, bytesMax)).toHaveLength(expected);
    });

    test("without keeping shows the same records, and stays where it is at the head", async () => {
      await append(20);
      const seen: string[] = [];
      // Byte by byte: what a log shows for the moment may lie in a buffer that is longer than it says.
      const visit = (position: number, bytes: Uint8Array): void =>
        void seen.push(...texts([{ position, bytes: Uint8Array.from({ length: bytes.length }, (_, i) => bytes[i] as number) }]));
      expect(await log.scan(0, 1, 7, visit)).toBe(8);
      expect(await log.scan(0, 8, 100, visit)).toBe(21);
      expect(await log.scan(0, 21, 100, visit)).toBe(21);
      expect(seen).toEqual(upTo(20).map((position) => `r${position}`));
    });

    test("at positions answers in the order asked for, also twice the same", async () => {
      for (let i = 0; i < 4; i++) await append(5);
      expect(texts(await log.readAt(0, [20, 1, 6, 5, 6]))).toEqual(["r20", "r1", "r6", "r5", "r6"]);
      expect(await log.readAt(0, [])).toEqual([]);
    });

    test("at a position that is not there yet is an error", async () => {
      await append(20);
      await expect(log.readAt(0, [10, 21])).rejects.toThrow("position 21");
    });

    test("never sees a gap or an unacknowledged position while appends run", async () => {
      const writing = Promise.all(upTo(32).map(async (caller) => {
        for (let i = 0; i < 20; i++) await log.append(0, upTo(1 + (caller % 3)).map(() => kilobyte(`${caller}-${i}`)));
      }));
      const seen: number[] = [];
      const total = upTo(32).reduce((sum, caller) => sum + 20 * (1 + (caller % 3)), 0);
      while (seen.length < total) {
        const head = log.head(0);
        const records = await log.read(0, seen.length + 1, 64, 1e9);
        expect(records.length).toBeGreaterThanOrEqual(Math.min(64, head - 1 - seen.length));
        seen.push(...positions(records));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await writing;
      expect(seen).toEqual(upTo(total));
    });

    test("gives records that are safe to keep", async () => {
      await log.append(0, [kilobyte("kept")]);
      const [first] = await log.read(0, 1, 1, 1e6);
      for (let i = 0; i < 50; i++) await log.append(0, [kilobyte("later")]);
      await log.read(0, 1, 100, 1e9);
      await log.close();
      expect(texts([first as LogRecord])).toEqual(["kept"]);
    });

    test("gives back empty and large records", async () => {
      const large = Buffer.alloc(3_000_000, 5);
      await log.append(0, [Buffer.alloc(0), large]);
      const [empty, same] = await log.readAt(0, [1, 2]);
      expect(empty?.bytes).toHaveLength(0);
      expect(large.equals(same?.bytes ?? Buffer.alloc(0))).toBe(true);
    });

    test("gives back any bytes as they were", async () => {
      const hostile = [
        Buffer.from([0]), Buffer.from(upTo(256, 0)), Buffer.alloc(61), Buffer.alloc(64, 255), Buffer.from("\u0000\ud83d\udc80'; drop table event; --"),
        Buffer.from("ffffffffffffffff0000003100000000", "hex"), Buffer.alloc(127, 1), Buffer.alloc(128, 2), Buffer.alloc(8191, 3), Buffer.alloc(8192, 4),
      ];
      await log.append(0, hostile);
      await reopen();
      expect((await log.read(0, 1, 100, 1e9)).map(({ bytes }) => Buffer.from(bytes).toString("hex"))).toEqual(hostile.map((bytes) => bytes.toString("hex")));
    });
  });

  describe("dropping", () => {
    test("takes no record at or above the position, and beyond the head takes none that is still to come", async () => {
      await append(20);
      await log.dropBelow(0, 11);
      expect(texts(await log.readAt(0, [11, 20]))).toEqual(["r11", "r20"]);
      await log.dropBelow(0, 1000);
      expect(await append(1)).toBe(21);
      expect(texts(await log.readAt(0, [21]))).toEqual(["r21"]);
    });
  });

  describe("state", () => {
    test("keeps the id of the log, and gives another log another", async () => {
      const { logId } = log;
      await reopen();
      expect(log.logId).toBe(logId);
      const another = await create();
      const other = await another.open();
      expect(other.logId).not.toBe(logId);
      await other.close();
      await another.remove();
    });

    test("is checked without taking a position", async () => {
      await log.check();
      expect(log.head(0)).toBe(1);
      expect(await log.read(0, 0, 10, 1e6)).toEqual([]);
    });

    test("tells about how much is kept, and since when", async () => {
      expect(log.stats()).toMatchObject({ oldestAt: undefined });
      await append(50);
      await reopen();
      expect(log.stats().bytes).toBeGreaterThan(25_000);
      expect(log.stats().oldestAt).toBeTypeOf("number");
    });

    test("of a closed log is an error to check, append and read", async () => {
      await log.append(0, [kilobyte("a")]);
      await log.close();
      await expect(log.check()).rejects.toThrow("closed");
      await expect(log.append(0, [kilobyte("b")])).rejects.toThrow("closed");
      await expect(log.read(0, 1, 1, 1)).rejects.toThrow("closed");
    });

    test("includes appends that were under way when it was closed", async () => {
      const appends = upTo(50).map((i) => log.append(0, [kilobyte(`r${i}`)]));
      await reopen();
      expect(positions(await log.readAt(0, await Promise.all(appends)))).toEqual(upTo(50));
    });

    test("refuses a shard that it does not have", async () => {
      const stranger = log.shards.length;
      await expect(log.append(stranger, [kilobyte("a")])).rejects.toThrow("shard");
      await expect(log.read(stranger, 1, 1, 1)).rejects.toThrow("shard");
    });
  });
}
