import { type Call, type Finding, isBetween, isFlush, isRead, isWrite } from "./read-trace.ts";

export interface LogFiles {
  /** Its data files lie below it. */
  dir: string;
  /** Descriptors of the process that were open with O_DSYNC before the trace began: what is written through them is flushed. */
  dsync: ReadonlySet<number>;
}

/**
 * Each 202 must be covered: after its request was read, pages were written into the log and flushed, and only then the record
 * that makes them count was written, flushed too, before the first byte of the answer. A group's requests share one flush.
 */
export function checkAnswers(calls: readonly Call[], log: LogFiles): Finding {
  const isOfLog = (call: Call): boolean => call.path.startsWith(log.dir) && call.path.endsWith("data.mdb");
  const dsync = new Set(log.dsync);
  for (const call of calls) if (call.name === "openat" && call.text.includes("O_DSYNC")) dsync.add(Number(/ = (\d+)/.exec(call.text)?.[1]));
  const writes = calls.filter((call) => isOfLog(call) && isWrite(call));
  const records = writes.filter((call) => call.fd !== undefined && dsync.has(call.fd));
  const pages = writes.filter((call) => !records.includes(call));
  const flushes = calls.filter((call) => isOfLog(call) && isFlush(call));

  function isCovered(since: number, until: number): boolean {
    return records.some((record) => {
      if (!isBetween(record, since, until)) return false;
      const last = pages.findLast((page) => isBetween(page, since, record.began));
      return last !== undefined && flushes.some((flush) => flush.path === last.path && isBetween(flush, last.ended, record.began));
    });
  }

  const answers = calls.filter((call) => isWrite(call) && call.path.startsWith("socket:") && call.text.includes('"HTTP/1.1 202'));
  const violations = answers.flatMap((answer) => {
    const request = calls.findLast((call) => isRead(call) && call.path === answer.path && call.ended < answer.began);
    if (!request) return [`line ${answer.began + 1}: a 202 without a request`];
    return isCovered(request.ended, answer.began) ? [] : [`line ${answer.began + 1}: a 202 was sent and what it acknowledges was not flushed`];
  });
  return { judged: answers.length, violations };
}
