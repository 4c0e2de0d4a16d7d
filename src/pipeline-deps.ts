import type { Reached } from "./contracts/commit-step.ts";
import type { Logger } from "./contracts/logger.ts";
import type { Meters } from "./contracts/meters.ts";
import type { Tracing } from "./contracts/tracing.ts";
import type { PartitionWindow } from "./2-window/index.ts";
import type { Resolve } from "./3-resolve/index.ts";
import type { Profile } from "./4-profile/index.ts";
import type { Segment } from "./5-segment/index.ts";
import type { Activate } from "./6-activate/index.ts";
import type { Db } from "./stores/postgres/db.ts";
import type { OwnedPartition } from "./stores/postgres/partitions.ts";

/** What the path of a partition's events is made of: its stores, the rooms in their order, and who is told. */
export interface PipelineDeps {
  partition: OwnedPartition;
  /** Positions that history had and state had not when the partition was taken. */
  inHistory: Set<number>;
  db: Db;
  window: PartitionWindow;
  resolve: Resolve;
  profile: Profile;
  segment: Segment;
  activate: Activate;
  meters: Meters;
  logger: Logger;
  /** True when an error is about the rows of the batch, so that halving finds the culprit; else it is an outage. */
  isPoison(error: unknown): boolean;
  /** True when all databases answer. */
  healthy(): Promise<boolean>;
  reached: Reached;
  /** False when another process may own the partition by now: nothing may be written then, not even to history, which knows no epochs. */
  holds(): boolean;
  /** Absent unless somebody collects traces. */
  tracing?: Tracing | undefined;
}
