import type { TenantSettings } from "../../contracts/directory.ts";
import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import type { InState } from "../../contracts/pipeline-event.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import { foldEvent } from "../fold.ts";
import { readFoldRows } from "../queries/read-rows.ts";
import { emptyState, type ProfileState } from "../state.ts";

export interface Refold {
  tenantId: number;
  profileId: ProfileId;
  members: IdentityId[];
}

interface Deps {
  history: History;
  settingsOf(tenantId: number): TenantSettings;
}

/**
 * Folds profiles anew from all their events: one query per tenant for all of them, read in pages. Rows that are not in
 * state (another worker's, or written by a tick that died) are left out; `inState` must be read under the row lock.
 */
export function createFoldHistory({ history, settingsOf }: Deps) {
  return async function foldHistory(refolds: Refold[], inState: InState): Promise<Map<Refold, ProfileState>> {
    const states = new Map<Refold, ProfileState>(refolds.map((refold) => [refold, emptyState()]));
    for (const tenantId of new Set(refolds.map((refold) => refold.tenantId))) {
      const owner = new Map<IdentityId, ProfileState>();
      for (const refold of refolds) {
        if (refold.tenantId !== tenantId) continue;
        for (const member of refold.members) owner.set(member, states.get(refold) as ProfileState);
      }
      const settings = settingsOf(tenantId);
      for await (const rows of readFoldRows(history, tenantId, [...owner.keys()])) {
        for (const { event, partition, position } of rows) {
          const state = owner.get(event.anchor);
          if (state && inState(partition, position)) foldEvent(state, event, settings);
        }
      }
    }
    return states;
  };
}
