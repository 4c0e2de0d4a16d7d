import type { Directory, TenantSettings } from "../contracts/directory.ts";
import type { Routes } from "../contracts/http.ts";
import type { IdentityId, KnownIdentifier, ProfileId } from "../contracts/identity.ts";
import type { Meters } from "../contracts/meters.ts";
import type { PipelineEvent } from "../contracts/pipeline-event.ts";
import type { SystemEvent } from "../contracts/system-event.ts";
import type { Clock } from "../core/clock.ts";
import type { PublicIds } from "../core/public-id.ts";
import type { History } from "../stores/clickhouse/history.ts";
import type { Db, Queries, Tx } from "../stores/postgres/db.ts";
import { createEventRoutes } from "./event-routes.ts";
import { readHot } from "./queries/profile-rows.ts";
import { createProfileRoutes } from "./profile-routes.ts";
import { createStatsRoute } from "./stats-route.ts";
import { foldBatch, type Delta } from "./steps/fold-batch.ts";
import { createFoldHistory } from "./steps/fold-history.ts";
import { createWriteHistory, createWriteSystemEvents, positionsInHistory } from "./steps/write-history.ts";
import { createWriteState, type StateChange } from "./steps/write-state.ts";

export type { Delta, StateChange };

export interface ProfileDeps {
  db: Db;
  history: History;
  directory: Directory;
  clock: Clock;
  publicIds: PublicIds;
  meters: Meters;
  settingsOf(tenantId: number): TenantSettings;
  membersOf(q: Queries, tenantId: number, profileIds: ProfileId[]): Promise<Map<ProfileId, IdentityId[]>>;
  profilesOf(q: Queries, tenantId: number, identityIds: IdentityId[]): Promise<Map<IdentityId, ProfileId>>;
  identifiersOf(q: Queries, tenantId: number, profileId: ProfileId): Promise<KnownIdentifier[]>;
  /** The profile of an identifier as a caller writes it. */
  findProfile(tenantId: number, kind: string, value: string): Promise<ProfileId | undefined>;
  /** Which of these event keys wait in the log. */
  findWaiting(keys: string[]): Promise<Set<string>>;
}

export interface Profile {
  /** Folds a batch, purely; what cannot be folded is in `failed`. */
  fold(batch: PipelineEvent[]): { deltas: Map<string, Delta>; failed: { item: PipelineEvent; error: unknown }[] };
  writeHistory(batch: PipelineEvent[]): Promise<void>;
  writeSystemEvents(events: SystemEvent[]): Promise<void>;
  /** The positions between two, both included, that history has of a partition. */
  positionsInHistory(partition: number, from: number, to: number): Promise<Set<number>>;
  writeState(tx: Tx, change: StateChange): Promise<void>;
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
    writeHistory: createWriteHistory({ history, settingsOf }),
    writeSystemEvents: createWriteSystemEvents(history),
    positionsInHistory: (partition, from, to) => positionsInHistory(history, partition, from, to),
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
