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
function toFoldEvent({ event, key }: PipelineEvent, anchor: IdentityId): FoldEvent {
  const { tenantId, kind, ts, receivedAt, sessionId, traits, money } = event;
  return { tenantId, anchor, kind, ts, receivedAt, key, sessionId, traits, money };
}

type Failed = { item: PipelineEvent; error: unknown }[];

/**
 * Folds a batch into one delta per tenant and anchor. An event that cannot be folded is answered in `failed` and costs only itself;
 * events without identities belong to no profile.
 */
export function foldBatch(
  batch: PipelineEvent[],
  settingsOf: (tenantId: number) => TenantSettings,
): { deltas: Delta[]; failed: Failed } {
  const byTenant = new Map<number, Map<IdentityId, PipelineEvent[]>>();
  for (const item of batch) {
    const [anchor] = item.identities;
    if (anchor !== undefined) append(byTenant, item.event.tenantId, anchor, item);
  }
  const deltas: Delta[] = [];
  const failed: Failed = [];
  for (const [tenantId, byAnchor] of byTenant) {
    const settings = settingsOf(tenantId);
    for (const [anchor, items] of byAnchor) {
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
      deltas.push({ tenantId, anchor, state, live: good.some(({ event }) => !event.historical) });
    }
  }
  return { deltas, failed };
}

function foldAll(items: PipelineEvent[], anchor: IdentityId, settings: TenantSettings): ProfileState {
  const state = emptyState();
  for (const item of items) foldEvent(state, toFoldEvent(item, anchor), settings);
  return state;
}

function append(lists: Map<number, Map<IdentityId, PipelineEvent[]>>, tenantId: number, anchor: IdentityId, item: PipelineEvent): void {
  const ofTenant = lists.get(tenantId) ?? new Map<IdentityId, PipelineEvent[]>();
  if (ofTenant.size === 0) lists.set(tenantId, ofTenant);
  const list = ofTenant.get(anchor);
  if (list) list.push(item);
  else ofTenant.set(anchor, [item]);
}
