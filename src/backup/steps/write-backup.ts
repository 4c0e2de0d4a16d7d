import { randomUUID } from "node:crypto";
import type { BackupPlan, Base, Manifest } from "../../contracts/backup.ts";
import { ApiError } from "../../core/errors.ts";
import type { Clock } from "../../core/clock.ts";
import { toIso } from "../../core/time.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import type { HoldableLog } from "../../stores/log/hold-drops.ts";
import type { Db, Session } from "../../stores/postgres/db.ts";
import { readInstallation } from "../../stores/postgres/installation.ts";
import { countEvents, describeTable, streamEvents, streamHeld } from "../queries/copy-history.ts";
import { readMigrationsOf } from "../queries/read-migrations.ts";
import { manifestPath, planPath } from "../file-names.ts";
import { takeSnapshot, type Snapshot } from "../queries/take-snapshot.ts";
import { isLater, sliceHistory } from "../slice-history.ts";
import { copyLog } from "./copy-log.ts";
import type { Packer } from "./pack-files.ts";
import { splitLines } from "./split-lines.ts";

export interface BackupDeps {
  db: Db;
  history: History;
  log: HoldableLog;
  clock: Clock;
  version: string;
}

/** Of a file before it is compressed; a few of them are in memory at a time. */
const pieceBytes = 8_000_000;

/**
 * Writes a backup while everything goes on. The order is what makes its parts fit together:
 *
 * 1. From now on the log keeps everything. Its head is the end of the backup: what is accepted later need not be in it.
 * 2. State is seen at one moment, and with it what of the log it has. It knows every profile that was named to anyone by then.
 * 3. History, read later, has a row for all that state has, because rows are written first. Rows that state does not have are left
 *    out: their events are still in the log, and are processed anew after a restore.
 * 4. The log gives what was accepted before its end and is not in state.
 *
 * So every event is in the backup exactly once: by its row and in state, or as a record of the log.
 */
export async function writeBackup(deps: BackupDeps, base: Base | undefined, packer: Packer, planned: () => void): Promise<void> {
  const { db, history, log, clock } = deps;
  const release = log.hold();
  try {
    const startedAt = toIso(clock.now());
    const ends = new Map(log.shards.map((shard) => [shard, log.head(shard)]));
    const plan = await db.session(async (session) => {
      const snapshot = await takeSnapshot(db, session);
      const made = await makePlan(deps, session, snapshot, base, startedAt);
      planned();
      await packer.putJson(planPath, made);
      await putLines("held", "events_held", streamHeld(history, tableOf(made, "events_held"), made.marks));
      for (const [shard, end] of ends) {
        const partition = snapshot.partitionOf(log.logId, shard);
        await copyLog({ log, shard, mark: made.marks.find((mark) => mark.partition === partition), end, pieceBytes }, packer.put);
      }
      release();
      for (const { name, columns } of made.tables) await putLines("state", name, session.copyOut(`copy "${name}" (${quoted(columns)}) to stdout`));
      return made;
    });
    const rows = await putLines("events", "events", streamEvents(history, tableOf(plan, "events"), sliceHistory(base?.marks ?? [], plan.marks)));
    if (rows !== plan.events) throw new Error(`history gave ${rows} of ${plan.events} rows`);
    const manifest: Manifest = { ...plan, finishedAt: toIso(clock.now()), files: packer.files };
    await packer.putJson(manifestPath, manifest);
  } finally {
    release();
  }

  async function putLines(part: "state" | "held" | "events", of: string, text: AsyncIterable<Uint8Array>): Promise<number> {
    let rows = 0;
    for await (const lines of splitLines(text, pieceBytes)) {
      await packer.put({ part, of, ...lines });
      rows += lines.rows;
    }
    return rows;
  }
}

const tableOf = (plan: BackupPlan, name: string): BackupPlan["history"][number] => plan.history.find((table) => table.name === name) ?? { name, columns: [] };
export const quoted = (columns: readonly string[]): string => columns.map((name) => `"${name}"`).join(", ");

async function makePlan({ db, history, version }: BackupDeps, session: Session, snapshot: Snapshot, base: Base | undefined, startedAt: string): Promise<BackupPlan> {
  const { place, pepper } = await readInstallation(db);
  const { marks, logs, tables, sequences } = snapshot;
  if (base && (base.place !== place || !isLater(marks, base.marks))) {
    throw new ApiError("conflict", "The earlier backup is not of this installation, or of a later state of it: take a full backup.");
  }
  return {
    format: 1, id: randomUUID(), place, tributary: version, startedAt, base: base?.id ?? null, pepper, marks, logs, tables, sequences,
    migrations: await readMigrationsOf(session, history),
    history: await Promise.all(["events", "events_held"].map((name) => describeTable(history, name))),
    events: await countEvents(history, sliceHistory(base?.marks ?? [], marks)),
  };
}
