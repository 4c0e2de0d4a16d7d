import type { Clock } from "../core/clock.ts";
import { toIso } from "../core/time.ts";

const timeoutMsDefault = 2000;
const keptMsDefault = 1000;

export interface HealthDeps {
  /** By the name that a failing one is reported under. A check that does not throw in time is passed. */
  checks: Record<string, () => Promise<unknown>>;
  /** Whether events are taken right now. */
  accepting(): boolean;
  clock: Clock;
  timeoutMs?: number;
  /** How long an answer stands, so that probes cannot become load. */
  keptMs?: number;
}

interface CheckResult {
  ok: boolean;
  ms: number;
  detail?: string;
}

interface HealthAnswer {
  status: "ok" | "error";
  timestamp: string;
  /** Names of the checks that failed; absent when none did. */
  failing?: string[];
  checks?: Record<string, CheckResult>;
  accepting?: boolean;
}

function rejectAfter(timeoutMs: number): { rejected: Promise<never>; cancel(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  return { rejected: promise, cancel: () => clearTimeout(timer) };
}

async function runCheck(check: () => Promise<unknown>, timeoutMs: number): Promise<CheckResult> {
  const startedAt = performance.now();
  const elapsedMs = (): number => Math.round((performance.now() - startedAt) * 10) / 10;
  const deadline = rejectAfter(timeoutMs);
  try {
    await Promise.race([check(), deadline.rejected]);
    return { ok: true, ms: elapsedMs() };
  } catch (error) {
    return { ok: false, ms: elapsedMs(), detail: error instanceof Error ? error.message : String(error) };
  } finally {
    deadline.cancel();
  }
}

/** Answers how the process is: anyone learns the names of what fails, `detailed` adds the reasons. */
export function createHealth({ checks, accepting, clock, timeoutMs = timeoutMsDefault, keptMs = keptMsDefault }: HealthDeps) {
  let last: { at: number; results: Promise<Record<string, CheckResult>> } | undefined;

  async function runAll(): Promise<Record<string, CheckResult>> {
    const named = Object.entries(checks).map(async ([name, check]) => [name, await runCheck(check, timeoutMs)] as const);
    return Object.fromEntries(await Promise.all(named));
  }

  return async function health(detailed: boolean): Promise<HealthAnswer> {
    const now = clock.now();
    if (!last || now - last.at >= keptMs || now < last.at) last = { at: now, results: runAll() };
    const results = await last.results;
    const failing = Object.keys(results).filter((name) => !results[name]?.ok);
    return {
      status: failing.length === 0 ? "ok" : "error",
      timestamp: toIso(now),
      ...(failing.length > 0 ? { failing } : {}),
      ...(detailed ? { checks: results, accepting: accepting() } : {}),
    };
  };
}
