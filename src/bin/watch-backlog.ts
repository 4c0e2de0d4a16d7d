import { statfs } from "node:fs/promises";
import type { EventLog } from "../contracts/event-log.ts";
import type { Clock } from "../core/clock.ts";
import { decodeHead } from "../core/log-record.ts";

interface Deps {
  log: EventLog;
  dataDir: string;
  clock: Clock;
  limits: { logBytesMax: number; logAgeMsMax: number; diskReserveBytes: number };
  /** The shards that this process works on, each with its first position that is not in state. */
  marks(): Iterable<[shard: number, position: number]>;
  onError(error: unknown): void;
}

export interface BacklogWatch {
  /** Why no more events can be taken, or undefined. */
  full(): { reason: string; retryAfterS: number } | undefined;
  /** Throws when less disk is free than the reserve. */
  checkDisk(): Promise<void>;
  stop(): void;
}

const everyMs = 1000;

/** Watches what the log may grow to: bytes, age of the oldest event that is not in state, and free disk. */
export function watchBacklog({ log, dataDir, clock, limits, marks, onError }: Deps): BacklogWatch {
  let freeBytes = Infinity;
  let oldestAt: number | undefined;

  const look = async (): Promise<void> => {
    const disk = await statfs(dataDir);
    freeBytes = disk.bavail * disk.bsize;
    const since = await Promise.all([...marks()].map(([shard, mark]) => waitingSince(shard, mark)));
    oldestAt = since.reduce((oldest, one) => (one === undefined ? oldest : Math.min(one, oldest ?? one)), undefined);
  };
  async function waitingSince(shard: number, mark: number): Promise<number | undefined> {
    const [first] = await log.read(shard, mark, 1, 1);
    const head = first && decodeHead(first.bytes);
    // A replayed event carries the time of its first arrival, which says nothing about the backlog.
    return head?.replay ? undefined : head?.receivedAt;
  }
  void look().catch(onError);
  const timer = setInterval(() => void look().catch(onError), everyMs);
  timer.unref();

  return {
    full() {
      if (log.stats().bytes > limits.logBytesMax) return { reason: "the event log has reached its size limit", retryAfterS: 30 };
      if (oldestAt !== undefined && clock.now() - oldestAt > limits.logAgeMsMax) {
        return { reason: "events wait longer than the log may hold them", retryAfterS: 30 };
      }
      if (freeBytes < limits.diskReserveBytes) return { reason: "the disk reserve is reached", retryAfterS: 60 };
      return undefined;
    },
    async checkDisk() {
      await look();
      if (freeBytes < limits.diskReserveBytes) throw new Error(`${freeBytes} bytes free, the reserve is ${limits.diskReserveBytes}`);
    },
    stop: () => clearInterval(timer),
  };
}
