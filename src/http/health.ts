import type { Clock } from "../core/clock.ts";
import { toIso } from "../core/time.ts";

const timeoutMsDefault = 2000;
const keptMsDefault = 1000;

export interface HealthDeps {
  /** By the name that a failing one is reported under. A check that does not throw in time is passed. */
  checks: Record<string, () => Promise<unknown>>;
  /** Those of the checks that whoever sends requests here has to know about. */
  readyNeeds: readonly string[];
  /** Why events should go elsewhere right now, by name; empty when they are welcome. Asked each time, so it must be cheap. */
  refusing(): string[];
  clock: Clock;
  timeoutMs?: number;
  /** How long the result of a check stands, so that probes cannot become load. */
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
  /** Names of what failed; absent when nothing did. */
  failing?: string[];
  checks?: Record<string, CheckResult>;
  accepting?: boolean;
}

export interface Health {
  /** How everything is: anyone learns the names of what fails, `detailed` adds the reasons. */
  full(detailed: boolean): Promise<HealthAnswer>;
  /** Whether to send requests here. It waits for no database. */
  ready(): Promise<HealthAnswer>;
  /** That the event loop turns. What a restart would help against ends the process by itself. */
  live(): HealthAnswer;
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

/** Answers how the process is, for people and for whoever starts it and sends it requests. */
export function createHealth(deps: HealthDeps): Health {
  const { checks, readyNeeds, refusing, clock, timeoutMs = timeoutMsDefault, keptMs = keptMsDefault } = deps;
  const last = new Map<string, { at: number; result: Promise<CheckResult> }>();

  /** Each check for itself: one that hangs holds up no other. */
  function run(name: string, check: () => Promise<unknown>): Promise<CheckResult> {
    const now = clock.now();
    const kept = last.get(name);
    if (kept && now - kept.at < keptMs && now >= kept.at) return kept.result;
    const result = runCheck(check, timeoutMs);
    last.set(name, { at: now, result });
    return result;
  }

  async function runAll(wanted: (name: string) => boolean): Promise<Record<string, CheckResult>> {
    const named = Object.entries(checks).filter(([name]) => wanted(name)).map(async ([name, check]) => [name, await run(name, check)] as const);
    return Object.fromEntries(await Promise.all(named));
  }

  function answer(failing: string[]): HealthAnswer {
    return { status: failing.length === 0 ? "ok" : "error", timestamp: toIso(clock.now()), ...(failing.length > 0 ? { failing } : {}) };
  }

  const failed = (results: Record<string, CheckResult>): string[] => Object.keys(results).filter((name) => !results[name]?.ok);

  return {
    async full(detailed) {
      const results = await runAll(() => true);
      return { ...answer(failed(results)), ...(detailed ? { checks: results, accepting: refusing().length === 0 } : {}) };
    },
    async ready() {
      const results = await runAll((name) => readyNeeds.includes(name));
      // Asked last: a stop that began meanwhile counts.
      return answer([...failed(results), ...refusing()]);
    },
    live: () => answer([]),
  };
}
