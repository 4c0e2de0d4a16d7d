import type { ProfileId, Regrouping } from "./contracts/identity.ts";
import type { LogRecord } from "./contracts/event-log.ts";
import type { InState, PipelineEvent } from "./contracts/pipeline-event.ts";
import type { Delta } from "./4-profile/index.ts";
import type { PositionSet } from "./core/position-set.ts";
import { PartlyDoneError } from "./isolate-poison.ts";
import type { PipelineDeps } from "./pipeline-deps.ts";
import type { Tx } from "./stores/postgres/db.ts";
import { lockPartition, readPositions, savePositions } from "./stores/postgres/partitions.ts";
import { StateMovedError } from "./stores/postgres/state-moved-error.ts";

type AnchorKey = { tenantId: number; identityId: number };
type ProfileKey = { tenantId: number; profileId: ProfileId };
type Commit = (good: PipelineEvent[], deltas: Delta[], records: LogRecord[]) => Promise<void>;

/** The state transaction of a batch: everything it changes and the positions that say so, or nothing. */
export function createCommit(deps: PipelineDeps): Commit {
  const { db, partition, resolve, reached } = deps;
  const writeState = createWriteState(deps);

  return async function commit(good, deltas, records) {
    const done = records.map((record) => record.position);
    let tries = 0;
    try {
      await db.transaction(async (tx) => {
        const positions = await lockPartition(db.in(tx), partition.partitionId, partition.epoch);
        // A commit whose answer was lost.
        const there = done.filter((position) => positions.has(position));
        if (there.length > 0) throw new PartlyDoneError(there);
        positions.add(done);
        if (good.length > 0) await writeState(tx, good, deltas, positions, tries++ > 0);
        await savePositions(db.in(tx), partition.partitionId, positions);
        await reached("state-written", good);
      });
      resolve.settle(true);
    } catch (error) {
      resolve.settle(false);
      throw error;
    }
    partition.positions.add(done);
    await reached("committed", good);
  };
}

function createWriteState({ db, partition, resolve, profile, segment, activate }: PipelineDeps) {
  /** `again` when a transaction before this one found that others had changed what it read. */
  async function writeState(tx: Tx, good: PipelineEvent[], deltas: Delta[], positions: PositionSet, again: boolean): Promise<void> {
    const anchors = deltas.map(({ tenantId, anchor }) => ({ tenantId, identityId: anchor }));
    const before = await (again ? resolve.profilesAt(tx, anchors) : resolve.guessProfiles(tx, anchors));
    const links = resolve.linksOf(good.map((item) => item.event), good.map((item) => item.identities), good.map((item) => item.key));
    const regrouping = await resolve.decide(tx, links, firstSeen(tx, deltas, before));
    const after = again ? await resolve.profilesAt(tx, anchors) : regrouped(before, regrouping);
    const changed = await profile.writeState(tx, {
      deltas: deltas,
      regrouping,
      profileOf: (tenantId, anchor) => after.get(`${tenantId}:${anchor}`) ?? anchor,
      lock: again,
      confirm: (withoutRow) => confirm(tx, withoutRow, anchors, after),
      inState: () => positionsInState(tx, positions),
      evaluateSegments: segment.evaluate,
    });
    await activate.enqueue(tx, { regrouping, ...changed });
  }

  /**
   * Makes sure that anchors are still in the profiles whose rows were read meanwhile. A profile without a row has nothing whose
   * version would tell that it is regrouped later, so its identities are locked.
   */
  async function confirm(tx: Tx, withoutRow: ProfileKey[], anchors: AnchorKey[], after: Map<string, ProfileId>): Promise<void> {
    const fresh = new Set(withoutRow.map(({ tenantId, profileId }) => `${tenantId}:${profileId}`));
    const isFresh = ({ tenantId, identityId }: AnchorKey): boolean => fresh.has(`${tenantId}:${after.get(`${tenantId}:${identityId}`)}`);
    const toLock = [...withoutRow.map(({ tenantId, profileId }) => ({ tenantId, identityId: profileId })), ...anchors.filter(isFresh)];
    const now = new Map([
      ...(toLock.length === 0 ? [] : await resolve.lockIdentities(tx, toLock)),
      ...(await resolve.profilesAt(tx, anchors.filter((anchor) => !isFresh(anchor)))),
    ]);
    for (const [id, profileId] of now) {
      const expected = after.get(id) ?? Number(id.slice(id.indexOf(":") + 1));
      if (profileId !== expected) throw new StateMovedError(`identity ${id} has moved to another profile`);
    }
  }

  /** When profiles were first seen, this batch's events included: it decides which of two merging ones survives. */
  const firstSeen = (tx: Tx, deltas: Delta[], before: Map<string, ProfileId>) => async (tenantId: number, profileIds: ProfileId[]) => {
    const seen = await profile.firstSeenOf(tx, tenantId, profileIds);
    const asked = new Set(profileIds);
    for (const delta of deltas) {
      const profileId = before.get(`${delta.tenantId}:${delta.anchor}`);
      if (delta.tenantId !== tenantId || profileId === undefined || !asked.has(profileId)) continue;
      seen.set(profileId, Math.min(seen.get(profileId) ?? Infinity, delta.state.firstSeen));
    }
    return seen;
  };

  async function positionsInState(tx: Tx, own: PositionSet): Promise<InState> {
    const all = await readPositions(db.in(tx));
    all.set(partition.partitionId, own);
    return (partitionId, position) => all.get(partitionId)?.has(position) ?? false;
  }

  return writeState;
}

/** The profiles of identities after a regrouping. */
function regrouped(before: Map<string, ProfileId>, { merged, refold }: Regrouping): Map<string, ProfileId> {
  const after = new Map(before);
  const survivorOf = new Map(merged.flatMap(({ tenantId, survivor, absorbed }) => absorbed.map((profileId) => [`${tenantId}:${profileId}`, survivor])));
  if (survivorOf.size > 0) {
    for (const [id, profileId] of before) after.set(id, survivorOf.get(`${id.slice(0, id.indexOf(":"))}:${profileId}`) ?? profileId);
  }
  for (const { tenantId, profileId, members } of refold) {
    for (const member of members) if (after.has(`${tenantId}:${member}`)) after.set(`${tenantId}:${member}`, profileId);
  }
  return after;
}
