import { randomUUID } from "node:crypto";
import { describe } from "vitest";
import type { EventLog } from "../contracts/event-log.ts";
import { systemClock } from "../core/clock.ts";
import { connectAdmin } from "../stores/kafka/connect-brokers.ts";
import { openKafkaLog, type KafkaLogOptions } from "../stores/kafka/kafka-log.ts";
import { silentLog } from "./silent-log.ts";

/** KAFKA_BROKERS, or none. */
const kafkaBrokers = (process.env["KAFKA_BROKERS"] ?? "").split(",").filter(Boolean);

/** Tests that need a Kafka, and say so where there is none. */
export function describeWithKafka(name: string, tests: () => void): void {
  if (kafkaBrokers.length === 0) console.log(`${name}: skipped without KAFKA_BROKERS. \`npm run test:scale\` starts Kafka and runs it.`);
  describe.runIf(kafkaBrokers.length > 0)(name, tests);
}

/** A topic of its own for a test. */
export interface TestTopic {
  readonly name: string;
  open(more?: Partial<KafkaLogOptions>): Promise<EventLog>;
  admin: ReturnType<typeof connectAdmin>;
  remove(): Promise<void>;
}

export function createTestTopic({ brokers = kafkaBrokers, partitions = 1 }: { brokers?: string[]; partitions?: number } = {}): TestTopic {
  const name = `test-${randomUUID()}`;
  const access = { brokers };
  const admin = connectAdmin(access);
  return {
    name,
    admin,
    open: (more) => openKafkaLog({ access, topic: { name, partitions }, clock: systemClock, logger: silentLog, dropEveryMs: 0, ...more }),
    async remove() {
      await admin.deleteTopics({ topics: [name] }).catch(() => undefined);
      await admin.close();
    },
  };
}
