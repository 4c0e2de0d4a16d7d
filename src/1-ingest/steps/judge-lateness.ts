import type { LatePolicy } from "../../contracts/directory.ts";

export interface LatenessRule {
  /** Milliseconds that an event waits for stragglers. */
  windowMs: number;
  /** Milliseconds beyond the window after which an event is late. */
  graceMs: number;
}

/** Whether the window had closed when the event arrived. Judged against its arrival only: no backlog makes an event late. */
export const isPastWindow = (ts: number, receivedAt: number, { windowMs }: LatenessRule): boolean => ts < receivedAt - windowMs;

/** Late is past window and grace; a quarantine policy holds it back. What is historical is never late. */
export function judgeLateness(
  { ts, receivedAt, historical, policy }: { ts: number; receivedAt: number; historical: boolean; policy: LatePolicy },
  rule: LatenessRule,
): { late: boolean; held?: "late" } {
  const late = !historical && ts < receivedAt - rule.windowMs - rule.graceMs;
  return late && policy === "quarantine" ? { late, held: "late" } : { late };
}
