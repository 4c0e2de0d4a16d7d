import { openLocalLog } from "../stores/log/local-log.ts";
import { systemClock } from "../core/clock.ts";

/**
 * A process to be killed: appends to the log in `dir` from 16 callers, singles and batches, and prints `position count name` for
 * each append that was acknowledged. With `keep` it drops all but about that many positions as it goes.
 */
const [dir = "", name = "", keep = ""] = process.argv.slice(2);
const log = await openLocalLog({ dir, segmentBytesMax: 300_000, clock: systemClock });

async function appendForEver(caller: number): Promise<never> {
  for (let i = 0; ; i++) {
    const batch = `${name}-${caller}-${i}`;
    const count = i % 2 === 0 ? 100 : 1;
    const records = Array.from({ length: count }, (_, at) => Buffer.from(`${batch}/${count}/${at}/${"x".repeat((i * 37) % 900)}`));
    const position = await log.append(0, records);
    process.stdout.write(`${position} ${count} ${batch}\n`);
    if (keep !== "") await log.dropBelow(0, position - Number(keep));
  }
}

await Promise.all(Array.from({ length: 16 }, (_, caller) => appendForEver(caller)));
