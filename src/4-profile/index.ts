import type { Routes } from "../contracts/http.ts";
import type { ProfileId } from "../contracts/identity.ts";
import type { PipelineEvent } from "../contracts/pipeline-event.ts";
import type { SystemEvent } from "../contracts/system-event.ts";
import type { PositionSet } from "../core/position-set.ts";
import type { Tx } from "../stores/postgres/db.ts";
import type { ProfileDeps } from "./deps.ts";
import { createEventRoutes } from "./event-routes.ts";
import { readHot } from "./queries/profile-rows.ts";
import { createProfileRoutes } from "./profile-routes.ts";
import { createStatsRoute } from "./stats-route.ts";
import { foldBatch, type Delta } from "./steps/fold-batch.ts";
import { createFoldHistory } from "./steps/fold-history.ts";
import { createWriteHistory, createWriteSystemEvents, positionsInHistory, positionsInHistoryFrom, removeFromHistory } from "./steps/write-history.ts";
import { createWriteState, type StateChange, type StateChanged } from "./steps/write-state.ts";

export type { Delta, StateChange };

export interface Profile {
  /** Folds a batch, purely; what cannot be folded is in `failed`. */
  fold(batch: PipelineEvent[]): { deltas: Delta[]; failed: { item: PipelineEvent; error: unknown }[] };
  writeHistory(batch: PipelineEvent[]): Promise<void>;
  writeSystemEvents(events: SystemEvent[]): Promise<void>;
  /** Which of these positions of a log partition history has. */
  positionsInHistory(partition: number, positions: number[]): Promise<Set<number>>;
  /** Which positions that are not in state history has. */
  positionsInHistoryFrom(partition: number, inState: PositionSet): Promise<Set<number>>;
  /** Brings the touched profiles up to date; resolves with what of it must be told. */
  removeFromHistory(partition: number, position: number): Promise<void>;
  writeState(tx: Tx, change: StateChange): Promise<StateChanged>;
  /** When each profile was first seen (ms); profiles without events are absent. */
  firstSeenOf(tx: Tx, tenantId: number, profileIds: ProfileId[]): Promise<Map<ProfileId, number>>;
  /** The largest identity number that history carries. */
  largestIdentity(): Promise<number>;
  routes: Routes[];
}

export function createProfile(deps: ProfileDeps): Profile {
  const { db, history, settingsOf } = deps;
  const foldHistory = createFoldHistory({ history, settingsOf });
  const writeState = createWriteState({ settingsOf, foldHistory, membersOf: deps.membersOf, meters: deps.meters });
  return {
    fold: (batch) => foldBatch(batch, settingsOf),
    writeHistory: createWriteHistory(history),
    writeSystemEvents: createWriteSystemEvents(history),
    removeFromHistory: (partition, position) => removeFromHistory(history, partition, position),
    positionsInHistoryFrom: (partition, inState) => positionsInHistoryFrom(history, partition, inState),
    positionsInHistory: (partition, positions) => positionsInHistory(history, partition, positions),
    writeState: (tx, change) => writeState(db.in(tx), change),
    async firstSeenOf(tx, tenantId, profileIds) {
      const rows = await readHot(db.in(tx), profileIds.map((profileId) => ({ tenantId, profileId })), false);
      return new Map([...rows].map(([key, state]) => [Number(key.split(":")[1]), state.firstSeen]));
    },
    async largestIdentity() {
      const [row] = await history.query<{ largest: number }>("select max(arrayMax(identities)) largest from events where notEmpty(identities)");
      return row?.largest ?? 0;
    },
    routes: [createProfileRoutes(deps), createEventRoutes(deps), createStatsRoute(deps)],
  };
}
