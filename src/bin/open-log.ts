import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { EventLog } from "../contracts/event-log.ts";
import type { Logger } from "../contracts/logger.ts";
import { systemClock } from "../core/clock.ts";
import { describeError } from "../core/describe-error.ts";
import { isKafkaAway } from "../stores/kafka/is-away.ts";
import { openLocalLog, segmentBytesUsual } from "../stores/log/local-log.ts";
import type { KafkaSettings } from "./kafka-settings.ts";
import type { Settings } from "./settings.ts";

interface Opening {
  settings: Pick<Settings, "dataDir" | "logBytesMax" | "kafka">;
  logger: Logger;
  /** Gives up waiting for brokers that do not answer. */
  signal: AbortSignal;
}

const retryMs = 2000;

async function openKafka({ brokers, topic, partitions, replication, tls, sasl }: KafkaSettings, logger: Logger): Promise<EventLog> {
  // Loaded for those alone who have a Kafka: the client takes 60 MB.
  const { openKafkaLog } = await import("../stores/kafka/kafka-log.ts");
  const ca = tls?.caFile === undefined ? undefined : readFileSync(tls.caFile, "utf8");
  return await openKafkaLog({
    access: { brokers, ...(tls && { tls: ca === undefined ? {} : { ca } }), ...(sasl && { sasl }) },
    topic: { name: topic, partitions, replication }, clock: systemClock, logger,
  });
}

/** Opens the event log: the local one in the data directory, or Kafka where its brokers are given. */
export async function openLog({ settings, logger, signal }: Opening): Promise<EventLog> {
  const { dataDir, logBytesMax, kafka } = settings;
  if (kafka === undefined) {
    // The newest segment is removed last: a log at its limit can only shrink below it when a segment is a small part of that.
    const segmentBytesMax = Math.min(segmentBytesUsual, Math.floor(logBytesMax / 4));
    return openLocalLog({ dir: join(dataDir, "log"), clock: systemClock, segmentBytesMax });
  }
  for (;;) {
    try {
      return await openKafka(kafka, logger);
    } catch (error) {
      if (!isKafkaAway(error) || signal.aborted) throw error;
      logger.warn({ error: describeError(error) }, "Kafka does not answer yet");
      await sleep(retryMs, undefined, { signal });
    }
  }
}
