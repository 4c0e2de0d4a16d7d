import { openLocalLog } from "../stores/log/local-log.ts";

/**
 * Run with a limit on file sizes: appends to the log in `dir` until one is rejected, as on a full disk, then shows that the log
 * goes on. Prints what happened as one line of JSON.
 */
const [dir = ""] = process.argv.slice(2);
let now = 0;
const segmentAgeMsMax = 1000;
const log = await openLocalLog({ dir, segmentAgeMsMax, clock: { now: () => now } });
const batch = (at: number): Buffer[] => Array.from({ length: 100 }, (_, i) => Buffer.from(`${at + i}/${"x".repeat(600)}`));

let acknowledged = 0;
let rejection: unknown;
while (rejection === undefined) {
  try {
    await log.append(0, batch(acknowledged + 1));
    acknowledged += 100;
  } catch (error) {
    rejection = error;
  }
}
const headAfterRejection = log.head(0);
const checkAfterRejection = await log.check().then(() => "passes", () => "fails");
const readable = await log.readAt(0, Array.from({ length: acknowledged }, (_, i) => i + 1));
// An older segment takes no more: the next append begins another file, which may grow again.
now += segmentAgeMsMax;
const next = await log.append(0, batch(acknowledged + 1));
const all = await log.read(0, 1, acknowledged + 200, Infinity);
await log.close();

process.stdout.write(JSON.stringify({
  acknowledged, headAfterRejection, checkAfterRejection, next,
  readable: readable.length,
  inOrder: all.every(({ position, bytes }, i) => position === i + 1 && Buffer.from(bytes).toString().startsWith(`${position}/`)),
  all: all.length,
}));
