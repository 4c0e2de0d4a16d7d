import { expect, test } from "vitest";
import { encodeRecord } from "../../core/log-record.ts";
import type { CanonicalEvent } from "../../contracts/canonical-event.ts";
import { createPositionSet } from "../../core/position-set.ts";
import { holdable } from "../../stores/log/hold-drops.ts";
import { anEvent } from "../../testing/events.ts";
import { createMemoryLog } from "../../testing/memory-log.ts";
import { unframeRecords } from "../log-frames.ts";
import { copyLog } from "./copy-log.ts";
import type { Piece } from "./pack-files.ts";

const encoded = (eventId: string, more: Partial<CanonicalEvent> = {}): Buffer => encodeRecord(anEvent({ eventId, ...more }), eventId.padStart(32, "0"));
const keyOf = (record: Uint8Array): string => Buffer.from(record).toString("hex", 22, 38).replace(/^0+/, "");

/** A log with records 1 to 6, of which 4 and 6 are replays. */
async function sixRecords() {
  const log = createMemoryLog({ logId: "log" });
  await log.append(0, [Buffer.of()]);
  await log.append(0, [1, 2, 3, 4, 5, 6].map((n) => encoded(String(n), n === 4 || n === 6 ? { replay: true } : {})));
  return log;
}

function markOf(...done: number[]) {
  const positions = createPositionSet(1, Buffer.alloc(0));
  positions.add(done);
  return { partition: 1, lowWater: positions.lowWater, doneAbove: positions.bitmap().toString("base64") };
}

test.each<[name: string, done: number[], end: number, copied: string[]]>([
  ["everything while nothing is in state", [], 7, ["1", "2", "3", "4", "5", "6"]],
  ["not what is in state", [1, 2, 5], 7, ["3", "4", "6"]],
  ["beyond the end replays alone", [1], 3, ["2", "4", "6"]],
  ["nothing when all is in state", [1, 2, 3, 4, 5, 6], 7, []],
])("is copied %s", async (_, done, end, copied) => {
  const pieces: Piece[] = [];
  await copyLog({ log: await sixRecords(), shard: 0, mark: markOf(...done), end, pieceBytes: 1 }, async (piece) => void pieces.push(piece));
  expect(pieces.flatMap(({ bytes }) => unframeRecords(Buffer.from(bytes)).map(keyOf))).toEqual(copied);
  expect(pieces.reduce((sum, { rows }) => sum + rows, 0)).toBe(copied.length);
});

test("a log of which somebody removed what is needed fails the backup instead of leaving it out", async () => {
  const log = await sixRecords();
  await log.dropBelow(0, 3);
  await expect(copyLog({ log, shard: 0, mark: markOf(1), end: 7, pieceBytes: 1 }, async () => undefined)).rejects.toThrow(/no position 2 any more/);
});

test("of a log that is held nothing is dropped until the last holder lets go", async () => {
  const log = holdable(await sixRecords());
  const [first, second] = [log.hold(), log.hold()];
  for (const letGo of [first, second]) {
    await log.dropBelow(0, 4);
    expect((await log.read(0, 1, 1, 1))[0]?.position).toBe(1);
    letGo();
  }
  await log.dropBelow(0, 4);
  expect((await log.read(0, 1, 1, 1))[0]?.position).toBe(4);
});
