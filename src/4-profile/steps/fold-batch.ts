import type { FoldEvent } from "../../contracts/fold-event.ts";
import type { IdentityId } from "../../contracts/identity.ts";
import type { PipelineEvent } from "../../contracts/pipeline-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";
import { foldEvent } from "../fold.ts";
import { emptyState, type ProfileState } from "../state.ts";

/** What a batch adds to the profile of one anchor. */
export interface Delta {
  tenantId: number;
  anchor: IdentityId;
  state: ProfileState;
  /** False when all of the batch's events of this anchor are historical: such change memberships silently. */
  live: boolean;
}

/** What folding reads of a live event; `fold-history` makes the same from a history row. */
function toFoldEvent(item: PipelineEvent, anchor: IdentityId): FoldEvent {
  const { event } = item;
  return {
    tenantId: event.tenantId,
    anchor,
    kind: event.kind,
    ts: event.ts,
    receivedAt: event.receivedAt,
    key: item.key,
    ...(event.sessionId !== undefined && { sessionId: event.sessionId }),
    ...(event.traits && { traits: event.traits }),
    ...(event.money && { money: event.money }),
  };
}

type Failed = { item: PipelineEvent; error: unknown }[];

/**
 * Folds a batch into one delta per anchor. An event that cannot be folded is answered in `failed` and costs only itself;
 * events without identities belong to no profile.
 */
export function foldBatch(
  batch: PipelineEvent[],
  settingsOf: (tenantId: number) => TenantSettings,
): { deltas: Map<string, Delta>; failed: Failed } {
  const byAnchor = new Map<string, PipelineEvent[]>();
  for (const item of batch) {
    const id = `${item.event.tenantId}:${item.identities[0]}`;
    if (item.identities.length > 0) append(byAnchor, id, item);
  }
  const deltas = new Map<string, Delta>();
  const failed: Failed = [];
  for (const [id, items] of byAnchor) {
    const { tenantId } = (items[0] as PipelineEvent).event;
    const anchor = items[0]?.identities[0] as IdentityId;
    const settings = settingsOf(tenantId);
    let good = items;
    let state: ProfileState;
    try {
      state = foldAll(items, anchor, settings);
    } catch {
      // An event that throws half-way leaves half of itself behind: find the culprits alone and fold the others again.
      good = items.filter((item) => {
        try {
          foldAll([item], anchor, settings);
          return true;
        } catch (error) {
          failed.push({ item, error });
          return false;
        }
      });
      state = foldAll(good, anchor, settings);
    }
    deltas.set(id, { tenantId, anchor, state, live: good.some(({ event }) => !event.historical) });
  }
  return { deltas, failed };
}

function foldAll(items: PipelineEvent[], anchor: IdentityId, settings: TenantSettings): ProfileState {
  const state = emptyState();
  for (const item of items) foldEvent(state, toFoldEvent(item, anchor), settings);
  return state;
}

function append<T>(lists: Map<string, T[]>, id: string, item: T): void {
  const list = lists.get(id);
  if (list) list.push(item);
  else lists.set(id, [item]);
}
