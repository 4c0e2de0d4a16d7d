import type { EventLog } from "../../contracts/event-log.ts";
import { unframeRecords } from "../log-frames.ts";
import { readPart } from "./needed-files.ts";
import type { Chain } from "./read-chain.ts";

const appendMax = 1000;

/** Appends what was accepted and not processed to a log that is empty: under new positions, of which history knows nothing. */
export async function restoreLog(chain: Chain, log: EventLog, told: (bytes: number) => void): Promise<void> {
  for await (const { bytes, file } of readPart(chain, "log")) {
    const shard = log.shards[Number(file.of) % log.shards.length] ?? 0;
    const records = unframeRecords(bytes);
    for (let from = 0; from < records.length; from += appendMax) await log.append(shard, records.slice(from, from + appendMax));
    told(file.bytes);
  }
}
