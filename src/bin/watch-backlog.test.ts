import { tmpdir } from "node:os";
import { expect, test, vi } from "vitest";
import { eventKey } from "../core/event-key.ts";
import { encodeRecord } from "../core/log-record.ts";
import { anEvent, t0 } from "../testing/events.ts";
import { createMemoryLog } from "../testing/memory-log.ts";
import { watchBacklog } from "./watch-backlog.ts";

const generous = { logBytesMax: 1e9, logAgeMsMax: 60_000, diskReserveBytes: 0 };

async function watch(limits: Partial<typeof generous>, now = t0, lowWater = 0) {
  const log = createMemoryLog();
  const event = anEvent({ ts: t0 });
  await log.append(0, [encodeRecord(event, eventKey(1, 2, event.eventId))]);
  const errors: unknown[] = [];
  const watching = watchBacklog({
    log, dataDir: tmpdir(), clock: { now: () => now }, limits: { ...generous, ...limits }, marks: () => [[0, lowWater]], onError: (error) => errors.push(error),
  });
  await watching.checkDisk().catch(() => undefined);
  return { watching, errors };
}

test.each([
  ["all is well", {}, t0, 0, undefined],
  ["the log has reached its size", { logBytesMax: 1 }, t0, 0, /size limit/],
  ["the oldest waiting event is too old", {}, t0 + 61_000, 0, /wait longer/],
  ["an old event that is in state is no reason", {}, t0 + 61_000, 1, undefined],
  ["less is free than the reserve", { diskReserveBytes: Number.MAX_SAFE_INTEGER }, t0, 0, /disk reserve/],
])("%s", async (_, limits, now, lowWater, reason) => {
  const { watching, errors } = await watch(limits, now, lowWater);
  await vi.waitFor(() => (reason ? expect(watching.full()?.reason).toMatch(reason) : expect(watching.full()).toBeUndefined()));
  watching.stop();
  expect(errors).toEqual([]);
});

test("the disk check fails below the reserve and says how much is free", async () => {
  const { watching } = await watch({ diskReserveBytes: Number.MAX_SAFE_INTEGER });
  await expect(watching.checkDisk()).rejects.toThrow(/bytes free/);
  watching.stop();
});
