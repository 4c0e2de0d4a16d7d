import { setImmediate as nextTurn } from "node:timers/promises";

interface Waiting {
  records: readonly Uint8Array[];
  bytes: number;
  resolve(first: number): void;
  reject(error: unknown): void;
}

function countBytes(records: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const record of records) bytes += record.length;
  return bytes;
}

const joinRecords = (group: readonly Waiting[]): readonly Uint8Array[] =>
  (group.length === 1 ? group[0]?.records : undefined) ?? group.flatMap((append) => append.records);

export interface GroupCommitDeps {
  /** Runs one write after the other; shared with whatever else writes. */
  oneAtATime<T>(work: () => Promise<T>): Promise<T>;
  /** Makes the records durable, all or none, and answers with the first one's position. */
  commit(records: readonly Uint8Array[]): Promise<number>;
  recordsMax: number;
  bytesMax: number;
  /** A failure is that of all who wait, where trying again would only let the next ones wait as long. */
  failsTogether?: boolean;
}

/**
 * Lets appends that arrive while a write runs share the next one, which costs one flush however many they are.
 * The records of one append are never parted. `recordsMax` and `bytesMax` bound a group unless a single append is larger.
 */
export function createGroupCommit(deps: GroupCommitDeps): (records: readonly Uint8Array[]) => Promise<number> {
  const { oneAtATime, commit, recordsMax, bytesMax } = deps;
  const waiting: Waiting[] = [];
  let scheduled = false;

  function takeGroup(): Waiting[] {
    let records = 0;
    let bytes = 0;
    let taken = 0;
    for (const append of waiting) {
      records += append.records.length;
      bytes += append.bytes;
      if (taken > 0 && (records > recordsMax || bytes > bytesMax)) break;
      taken++;
    }
    return waiting.splice(0, taken);
  }

  async function commitGroup(): Promise<void> {
    // Everything that the present turn of the event loop still brings belongs to this group.
    await nextTurn();
    scheduled = false;
    const group = takeGroup();
    if (group.length === 0) return;
    schedule();
    try {
      let position = await commit(joinRecords(group));
      for (const append of group) {
        append.resolve(position);
        position += append.records.length;
      }
    } catch (error) {
      for (const append of deps.failsTogether ? [...group, ...waiting.splice(0)] : group) append.reject(error);
    }
  }

  function schedule(): void {
    if (scheduled || waiting.length === 0) return;
    scheduled = true;
    void oneAtATime(commitGroup);
  }

  return function append(records) {
    return new Promise((resolve, reject) => {
      waiting.push({ records, bytes: countBytes(records), resolve, reject });
      schedule();
    });
  };
}
