import type { Draft, Sent } from "../../contracts/surface.ts";
import { parseIsoTime } from "../../core/time.ts";
import { type Findings, refuse, warn } from "../findings.ts";

/** Less is transit delay, not a wrong clock. */
const skewMsMin = 60_000;
const futureMsMax = 5_000;
const tsMin = Date.UTC(1971);
/** What a history column of times can hold; a `sentAt` beyond still corrects, but is not kept. */
const keptMax = Date.UTC(2200);

export interface Stamp {
  ts: number;
  sentAt: number | undefined;
  /** True when `ts` is not the time that was sent: the same event sent again may carry another one. */
  serverTs: boolean;
}

/**
 * Event time in milliseconds: as sent, corrected by the sender's clock where that is off by more than a minute, and the
 * time of arrival where none was sent or it lies in the future. `batchSentAt` stands in for a row without its own.
 */
export function stampTime(draft: Draft, receivedAt: number, batchSentAt: number | undefined, findings: Findings): Stamp {
  const sentAt = readTime(draft.sentAt, findings) ?? batchSentAt;
  const asSent = readTime(draft.ts, findings);
  const kept = sentAt !== undefined && sentAt >= tsMin && sentAt < keptMax ? sentAt : undefined;
  if (asSent === undefined) return { ts: receivedAt, sentAt: kept, serverTs: true };
  const skew = sentAt === undefined ? 0 : receivedAt - sentAt;
  const ts = Math.abs(skew) > skewMsMin ? asSent + skew : asSent;
  if (ts > receivedAt + futureMsMax) {
    warn(findings, "future_timestamp");
    return { ts: receivedAt, sentAt: kept, serverTs: true };
  }
  if (ts < tsMin) refuse(findings, draft.ts?.field ?? "", "too_old", "must not lie before 1971");
  return { ts, sentAt: kept, serverTs: ts !== asSent };
}

/** Milliseconds of a time as sent; undefined when there is none or, with an error, when it cannot be read. */
export function readTime(time: Sent<string> | undefined, findings: Findings): number | undefined {
  if (!time) return undefined;
  const value = parseIsoTime(time.value);
  if (value === undefined) refuse(findings, time.field, "invalid_time", "must be an ISO-8601 time such as 2026-02-15T10:30:00.000Z");
  return value;
}
