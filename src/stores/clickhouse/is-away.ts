import { isUnreachable } from "../unreachable.ts";

/**
 * Codes of a server that is there and cannot work now: too many queries, the network between servers, Keeper, read-only tables, a
 * quorum that is not there, the disk. The same call may succeed later.
 */
const outageCodes = new Set(["202", "209", "210", "225", "242", "243", "252", "279", "285", "286", "289", "319", "394", "425", "473", "517", "999"]);

const hasCode = (error: Error): error is Error & { code: string } => "code" in error && typeof error.code === "string";

/** ClickHouse cannot be reached, or says that it cannot work now. What a proxy says in its place has no code. */
export const isHistoryAway = (error: unknown): boolean =>
  isUnreachable(error) || (error instanceof Error && (hasCode(error) ? outageCodes.has(error.code) : error.name === "Error" && /\b(502|503|504)\b/.test(error.message)));
