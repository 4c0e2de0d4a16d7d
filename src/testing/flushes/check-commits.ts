import { type Call, type Finding, isBetween, isFlush, isRead, isWrite } from "./read-trace.ts";

/** A statement begins after the NUL that ends its name. */
const changes = /(?:\b|\\0)(insert into|update|delete from|nextval)\b/i;
const begin = /"Q\\0\\0\\0.{1,4}begin /;
const commit = /"Q\\0\\0\\0\\vcommit\\0"/;

/**
 * Each transaction that changed something must be covered: after the server asked for its commit, PostgreSQL wrote into the
 * write-ahead log and flushed that, before the server read that it is committed.
 */
export function checkCommits(calls: readonly Call[], serverPid: number): Finding {
  const wal = calls.filter((call) => call.path.includes("/pg_wal/") && (isWrite(call) || isFlush(call)));
  const changed = new Set<string>();
  const asked = new Map<string, Call>();
  const finding: Finding = { judged: 0, violations: [] };
  for (const call of calls.filter(({ pid, path }) => pid === serverPid && path.startsWith("socket:"))) {
    if (isWrite(call)) {
      if (begin.test(call.text)) changed.delete(call.path);
      else if (commit.test(call.text)) asked.set(call.path, call);
      else if (changes.test(call.text)) changed.add(call.path);
      continue;
    }
    const request = asked.get(call.path);
    if (!request || !isRead(call)) continue;
    asked.delete(call.path);
    if (!changed.delete(call.path) || !call.text.includes("COMMIT\\0")) continue;
    finding.judged++;
    const written = wal.find((one) => isWrite(one) && isBetween(one, request.began, call.ended));
    const flushed = written && wal.some((one) => isFlush(one) && one.path === written.path && isBetween(one, written.ended, call.ended));
    if (!flushed) finding.violations.push(`line ${call.ended + 1}: PostgreSQL answered a commit that it had not flushed`);
  }
  return finding;
}
