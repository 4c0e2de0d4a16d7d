import { createGroupCommit } from "../log/group-commit.ts";
import { createOneAtATime } from "../log/one-at-a-time.ts";
import { batchBytes } from "./record-batch.ts";
import { createBatchSender, type SenderDeps } from "./send-batches.ts";

interface Deps extends SenderDeps {
  batchBytesMax: number;
  /** How long an append may wait for brokers to acknowledge it: longer than another broker needs to take over. */
  acknowledgeMsMax: number;
  /** Records were kept from `first` on. */
  onKept(first: number, records: readonly Uint8Array[]): void;
}

/** Writes one partition, a batch at a time, so that a batch that is sent again is known to the broker and kept once. */
export interface PartitionWriter {
  /** Resolves with the first record's position once all replicas in sync have all records. One that is rejected may still be kept. */
  append(records: Uint8Array[]): Promise<number>;
  /** Resolves when the appends under way have ended. */
  close(): Promise<void>;
}

const groupRecordsMax = 20_000;
const groupBytesMax = 8_000_000;
/** Kafka adds at most so much to a record without key and headers. */
const recordOverheadBytesMax = 16;
const waitingBytesMax = 64_000_000;
/** While Kafka is away each append finds that out for itself, but no longer waits for it to come back. */
const awayMsMax = 2000;
export function createPartitionWriter(deps: Deps): PartitionWriter {
  const { topic, shard, batchBytesMax } = deps;
  const sender = createBatchSender(deps);
  const oneAtATime = createOneAtATime();
  let waitingBytes = 0;
  let failure: Error | undefined;

  async function commit(records: readonly Uint8Array[]): Promise<number> {
    try {
      const deadline = performance.now() + (failure === undefined ? deps.acknowledgeMsMax : awayMsMax);
      const first = await sender.sendUntil(deadline, records);
      failure = undefined;
      deps.onKept(first, records);
      return first;
    } catch (cause) {
      sender.abandon();
      failure = new Error(`Kafka did not acknowledge an append to ${topic}-${shard}: ${(cause as Error).message}`, { cause });
      throw failure;
    }
  }

  const recordsMax = Math.max(1, Math.min(groupRecordsMax, Math.floor(batchBytesMax / (4 * recordOverheadBytesMax))));
  const bytesMax = Math.max(1, Math.min(groupBytesMax, batchBytesMax - recordsMax * recordOverheadBytesMax - 100));
  const appendInGroup = createGroupCommit({ oneAtATime, commit, recordsMax, bytesMax, failsTogether: true });

  return {
    async append(records) {
      const bytes = batchBytes(records);
      if (bytes > batchBytesMax) throw new RangeError(`an append of ${bytes} bytes is too large for the topic ${topic}: its max.message.bytes is ${batchBytesMax}`);
      if (waitingBytes + bytes > waitingBytesMax) throw new Error("too many appends wait for Kafka already", { cause: failure });
      waitingBytes += bytes;
      try {
        return await appendInGroup(records);
      } finally {
        waitingBytes -= bytes;
      }
    },
    async close() {
      while (waitingBytes > 0) await oneAtATime(async () => undefined);
    },
  };
}
