import { findErrorBy, initProducerIdV4 } from "@platformatic/kafka";
import type { Clock } from "../../core/clock.ts";
import type { Brokers } from "./connect-brokers.ts";
import { toPosition } from "./places.ts";
import { encodeBatch, type BatchOrigin } from "./record-batch.ts";
import { produceOne } from "./requests.ts";
import { within } from "./within.ts";

export interface SenderDeps {
  brokers: Brokers;
  topic: string;
  shard: number;
  clock: Clock;
  pause(ms: number): Promise<void>;
}

/** An idempotent producer for one partition. One batch at a time. */
export interface BatchSender {
  /** Tries until the deadline, a moment of `performance.now()`; answers with the first position. */
  sendUntil(deadline: number, records: readonly Uint8Array[]): Promise<number>;
  /** To be called after a failure, before anything else is sent. */
  abandon(): void;
}

const replicasMsMax = 3500;
const pauseMsMin = 50;
const pauseMsMax = 1000;
const epochMax = 32_767;
const sequences = 2 ** 31;

/** The broker knows this producer no more, or not as far: a new one has to begin. */
const isProducerLost = (error: unknown): boolean =>
  ["OUT_OF_ORDER_SEQUENCE_NUMBER", "UNKNOWN_PRODUCER_ID", "INVALID_PRODUCER_EPOCH", "DUPLICATE_SEQUENCE_NUMBER", "INVALID_PRODUCER_ID_MAPPING"]
    .some((id) => findErrorBy(error as Error, "apiId", id));

/** Trying again is of no use, whatever happens to the cluster. */
const isRefused = (error: unknown): boolean => findErrorBy(error as Error, "code", "PLT_KFK_PROTOCOL")?.["canRetry"] === false;

export function createBatchSender({ brokers, topic, shard, clock, pause }: SenderDeps): BatchSender {
  let origin: BatchOrigin | undefined;

  async function begin(): Promise<BatchOrigin> {
    const { producerId, producerEpoch } = await initProducerIdV4.api.async(await brokers.leaderOf(shard), null, 0);
    return { producerId, producerEpoch, sequence: 0 };
  }

  async function send(records: readonly Uint8Array[], by: BatchOrigin): Promise<number> {
    const leader = await brokers.leaderOf(shard);
    const batch = encodeBatch(records, by, clock.now());
    const answer = await produceOne.async(leader, { topic, partition: shard, batch, timeoutMs: replicasMsMax });
    const offset = answer.responses[0]?.partitionResponses[0]?.baseOffset;
    if (offset === undefined || offset < 0n) throw new Error("the broker did not say where it kept the records");
    return toPosition(offset);
  }

  /** Tries until the deadline. All tries carry the same sequence, so that the broker keeps one of them. */
  async function sendUntil(deadline: number, records: readonly Uint8Array[]): Promise<number> {
    let inDoubt = false;
    for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
      try {
        // Kept before it is used: another try has to be recognised as the same.
        origin ??= await within(deadline - performance.now(), begin());
        const first = await within(deadline - performance.now(), send(records, origin));
        origin = { ...origin, sequence: (origin.sequence + records.length) % sequences };
        return first;
      } catch (error) {
        brokers.forget();
        const isLost = isProducerLost(error);
        if (isLost) origin = undefined;
        // Sent anew by a new producer, a record that is there already would be there twice.
        if ((isLost && inDoubt) || (!isLost && isRefused(error)) || performance.now() + pauseMs >= deadline) throw error;
        inDoubt ||= !isLost;
        await pause(pauseMs);
      }
    }
  }

  /** What failed may be on its way still: with a higher epoch the broker refuses it once anything newer was kept. */
  function abandon(): void {
    origin = origin === undefined || origin.producerEpoch >= epochMax ? undefined : { ...origin, producerEpoch: origin.producerEpoch + 1, sequence: 0 };
  }

  return { sendUntil, abandon };
}
