import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { describeEventLog } from "../../testing/event-log-contract.ts";
import { openLocalLog } from "./local-log.ts";

describeEventLog(async () => {
  const dir = await mkdtemp(join(tmpdir(), "log-contract-"));
  return {
    open: () => openLocalLog({ dir, segmentBytesMax: 100_000, clock: systemClock }),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
});
