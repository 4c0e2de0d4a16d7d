import type { PipelineEvent } from "./pipeline-event.ts";

/** The steps of the commit protocol, in order. The outbox is drained beside it, batch by batch of its own. */
export const commitSteps = [
  "owned", "deduplicated", "minted", "folded", "history-written", "state-written", "committed", "dropped",
  "outbox-delivered", "outbox-emptied",
] as const;
export type CommitStep = (typeof commitSteps)[number];

/**
 * Told when a step is done, with the events it was done for; `state-written` is still inside the transaction. Processing
 * waits for the answer and takes a throw for one of the step's own. Only tests listen: no setting reaches it.
 */
export type Reached = (step: CommitStep, events: readonly PipelineEvent[]) => void | Promise<void>;
