import { commitSteps, type CommitStep } from "../../contracts/commit-step.ts";
import { postgresPids } from "../server-process.ts";
import type { FaultOrder, FaultReport, KillTarget } from "./fault-orders.ts";

// The server with fault points, steered over the channel that whoever forked it holds: no setting and no request reaches them.

let offsetMs = 0;
let poisoned = false;
let armed: Extract<FaultOrder, { kind: "arm" }> | undefined;
const realNow = Date.now;
Date.now = () => realNow() + offsetMs;

const report = (message: FaultReport): void => void process.send?.(message);

function kill(target: KillTarget): void {
  const pids = target === "server" ? [] : postgresPids(process.env["DATA_DIR"] ?? "");
  for (const pid of target === "postmaster" || target === "server+postmaster" ? pids.slice(0, 1) : pids) process.kill(pid, "SIGKILL");
  if (target.startsWith("server")) process.kill(process.pid, "SIGKILL");
}

/** Strikes at the n-th time of the step that is armed. */
function strike(step: CommitStep): void {
  if (armed?.step !== step || --armed.nth > 0) return;
  const { target } = armed;
  armed = undefined;
  report({ kind: "struck", step, target });
  kill(target);
}

process.on("message", (order: FaultOrder) => {
  if (order.kind === "arm") armed = { ...order };
  else if (order.kind === "poison") poisoned = order.on;
  else offsetMs = order.offsetMs;
});
process.on("disconnect", () => process.exit(1));

const { main } = await import("../../bin/server.ts");
await main((step, events) => {
  strike(step);
  if (!poisoned) return;
  const culprit = events.find(({ event }) => event.eventId.startsWith(`poison-${step}-`));
  if (culprit) throw new TypeError(`poison at ${commitSteps.indexOf(step) + 1}, ${step}`);
});
