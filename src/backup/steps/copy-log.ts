import type { Mark } from "../../contracts/backup.ts";
import type { EventLog, LogRecord } from "../../contracts/event-log.ts";
import { decodeHead } from "../../core/log-record.ts";
import { createPositionSet } from "../../core/position-set.ts";
import { frameRecords } from "../log-frames.ts";
import type { Piece } from "./pack-files.ts";

const pageRecords = 2000;
const pageBytes = 1_000_000;

interface Wanted {
  log: EventLog;
  shard: number;
  /** What of it is in state. */
  mark: Mark | undefined;
  /** Everything below this position that is not in state; from there on replays alone. */
  end: number;
  pieceBytes: number;
}

/**
 * Copies what is accepted and not in state. Beyond `end` the replays of held events are needed too: the table of held events is
 * read later than `end`, and says already that they were replayed.
 */
export async function copyLog({ log, shard, mark, end, pieceBytes }: Wanted, put: (piece: Piece) => Promise<void>): Promise<void> {
  const inState = createPositionSet(mark?.lowWater ?? 1, Buffer.from(mark?.doneAbove ?? "", "base64"));
  const isWanted = ({ position, bytes }: LogRecord): boolean => !inState.has(position) && (position < end || isReplay(bytes));
  const head = log.head(shard);
  let waiting: Uint8Array[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    if (waiting.length > 0) await put({ part: "log", of: String(shard), rows: waiting.length, bytes: frameRecords(waiting) });
    [waiting, size] = [[], 0];
  };
  for (let next = inState.lowWater; next < head;) {
    const page = await log.read(shard, next, pageRecords, pageBytes);
    const first = page[0]?.position;
    if (first !== next) throw new Error(`the log has no position ${next} any more: another process has removed it; back up again`);
    for (const record of page.filter(isWanted)) {
      waiting.push(record.bytes);
      size += record.bytes.length;
    }
    next += page.length;
    if (size >= pieceBytes) await flush();
  }
  await flush();
}

function isReplay(bytes: Uint8Array): boolean {
  try {
    return decodeHead(bytes).replay;
  } catch {
    return false;
  }
}
