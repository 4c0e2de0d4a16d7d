import type { CommitStep } from "../../contracts/commit-step.ts";

/** Who dies: PostgreSQL by its postmaster alone, whose backends are left to notice, or with all its processes. */
export const killTargets = ["server", "postmaster", "postgres", "server+postmaster", "server+postgres"] as const;
export type KillTarget = (typeof killTargets)[number];

/** What the faulty server is told. */
export type FaultOrder =
  /** `kill -9` at the n-th time that the step is reached from now on. */
  | { kind: "arm"; step: CommitStep; nth: number; target: KillTarget }
  /** Whether an event whose id begins with `poison-STEP-` makes that step throw. */
  | { kind: "poison"; on: boolean }
  /** How far the process's clock is off, in milliseconds. */
  | { kind: "clock"; offsetMs: number };

/** What it tells, right before it strikes. */
export interface FaultReport {
  kind: "struck";
  step: CommitStep;
  target: KillTarget;
}
