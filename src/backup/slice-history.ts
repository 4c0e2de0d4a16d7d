import type { Mark } from "../contracts/backup.ts";
import { createPositionSet } from "../core/position-set.ts";

export interface Slice {
  /** A condition on `log_partition` and `log_pos`. */
  where: string;
  params: Record<string, number | number[]>;
}

/** The rows of history whose positions are in state at `upTo` and were not at `after`. */
export function sliceHistory(after: readonly Mark[], upTo: readonly Mark[]): Slice {
  const params: Slice["params"] = {};
  const had = new Map(after.map((mark) => [mark.partition, mark]));
  const conditions = upTo.flatMap((mark, at) => {
    const before = had.get(mark.partition);
    if (before?.lowWater === mark.lowWater && before.doneAbove === mark.doneAbove) return [];
    const bind = (name: string, type: string, value: number | number[]): string => {
      params[`${name}${at}`] = value;
      return `{${name}${at}:${type}}`;
    };
    const listed = (name: string, positions: number[], ifAny: (list: string) => string): string =>
      (positions.length === 0 ? "" : ifAny(bind(name, "Array(UInt64)", positions)));
    const above = listed("above", positionsAbove(mark), (list) => ` or log_pos in ${list}`);
    const known = before ? ` and log_pos >= ${bind("from", "UInt64", before.lowWater)}${listed("known", positionsAbove(before), (list) => ` and log_pos not in ${list}`)}` : "";
    return [`(log_partition = ${bind("partition", "UInt32", mark.partition)} and (log_pos < ${bind("below", "UInt64", mark.lowWater)}${above})${known})`];
  });
  return { where: conditions.length === 0 ? "false" : `(${conditions.join(" or ")})`, params };
}

/** The positions above the mark that are in state. */
function positionsAbove({ lowWater, doneAbove }: Mark): number[] {
  const bytes = Buffer.from(doneAbove, "base64");
  return Array.from({ length: bytes.length * 8 }, (_, bit) => bit).filter((bit) => ((bytes[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0).map((bit) => lowWater + bit);
}

/** Whether everything that was in state at `before` is at `now`, as in every later moment of one installation. */
export function isLater(now: readonly Mark[], before: readonly Mark[]): boolean {
  const present = new Map(now.map((mark) => [mark.partition, mark]));
  return before.every((mark) => {
    const later = present.get(mark.partition);
    if (!later || later.lowWater < mark.lowWater) return false;
    const positions = createPositionSet(later.lowWater, Buffer.from(later.doneAbove, "base64"));
    return positionsAbove(mark).every((position) => positions.has(position));
  });
}
