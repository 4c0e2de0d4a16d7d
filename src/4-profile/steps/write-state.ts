import type { TenantSettings } from "../../contracts/directory.ts";
import type { IdentityId, ProfileId, Regrouping } from "../../contracts/identity.ts";
import type { Meters } from "../../contracts/meters.ts";
import type { InState } from "../../contracts/pipeline-event.ts";
import type { EvaluateSegments, SegmentChanged } from "../../contracts/segment.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { compact, mergeStates } from "../fold.ts";
import { deleteHot, deleteTraits, insertHot, keyOf, readHot, readTraits, updateHot, writeTraits, type ProfileKey, type StoredState } from "../queries/profile-rows.ts";
import { emptyState, type ProfileState } from "../state.ts";
import type { Delta } from "./fold-batch.ts";
import type { Refold } from "./fold-history.ts";

interface Deps {
  settingsOf(tenantId: number): TenantSettings;
  foldHistory(refolds: Refold[], inState: InState): Promise<Map<Refold, ProfileState>>;
  membersOf(q: Queries, tenantId: number, profileIds: ProfileId[]): Promise<Map<ProfileId, IdentityId[]>>;
  meters: Meters;
}

export interface StateChange {
  deltas: Iterable<Delta>;
  regrouping: Regrouping;
  /** Profile of an anchor after the regrouping. */
  profileOf(tenantId: number, anchor: IdentityId): ProfileId;
  /** Whether to lock the profiles' rows before anything is read: for a transaction that lost against another one before. */
  lock: boolean;
  /**
   * Called once the profiles' rows are read, with those that have none: keeps others from making such. Throws when an anchor's
   * profile is another one by now; if it becomes one later, a row's version tells.
   */
  confirm(withoutRow: ProfileKey[]): Promise<void>;
  /** Positions in state of every partition, this batch's included; asked for only when something is folded anew. */
  inState(): Promise<InState>;
  evaluateSegments: EvaluateSegments;
}

/** What changed that must be told. */
export interface StateChanged {
  /** Absorbed profiles that had events before: an identifier that only now joins one is no merge. */
  absorbed: ProfileKey[];
  segmentChanges: SegmentChanged[];
}

interface Work {
  key: ProfileKey;
  deltas: ProfileState[];
  absorbed: ProfileKey[];
  withTraits: boolean;
  /** Whether its segment changes are told. */
  live: boolean;
  /** As the profile's row has them; after evaluation those it gets. */
  memberships: Buffer;
  refoldMembers?: IdentityId[];
}

/**
 * Brings the profiles that a batch touched up to date, in the state transaction: reads their rows, merges what the batch
 * adds, sums merged profiles, and folds anew from history what was split or what the kept state cannot tell. Then evaluates
 * segments for those whose traits it had to read; no rule can have changed its answer for the others. A row is written only
 * in the version it was read in: locks would cost more than the rare transaction that must be run again.
 */
export function createWriteState(deps: Deps) {
  return async function writeState(q: Queries, change: StateChange): Promise<StateChanged> {
    const works = plan(change);
    const gone = change.regrouping.gone;
    const rows = await readHot(q, [...works.values()].flatMap((work) => [work.key, ...work.absorbed]).concat(gone), change.lock);
    await change.confirm([...works.values()].map((work) => work.key).filter((key) => !rows.has(keyOf(key))));
    await readTraits(q, traitKeys(works, rows), rows);

    const written = new Map<Work, ProfileState>();
    for (const work of works.values()) {
      const row = rows.get(keyOf(work.key));
      if (row) work.memberships = row.memberships;
      const state = row ?? emptyState();
      const settings = deps.settingsOf(work.key.tenantId);
      for (const key of work.absorbed) mergeStates(state, rows.get(keyOf(key)) ?? emptyState(), settings);
      for (const delta of work.deltas) mergeStates(state, delta, settings);
      written.set(work, state);
    }
    const anew = await foldAnew(deps, q, [...works.values()].filter((work) => work.refoldMembers || written.get(work)?.cannotTell), change);
    for (const [work, state] of anew) written.set(work, state);
    for (const state of written.values()) compact(state);

    // An absorbed profile's memberships end with its row.
    const segmentChanges = [...written].flatMap(([work, state]) => (work.withTraits || anew.has(work) ? evaluate(work, state, change.evaluateSegments) : []));

    await store(q, { written, anew: new Set(anew.keys()), gone, rows });
    const absorbed = [...works.values()].flatMap((work) => work.absorbed).filter((key) => rows.has(keyOf(key)));
    deps.meters.add("cdp_profiles_merged", absorbed.length);
    return { absorbed, segmentChanges };
  };
}

function plan({ deltas, regrouping, profileOf }: StateChange): Map<string, Work> {
  const works = new Map<string, Work>();
  const liveTenants = new Set<number>();
  const workOf = (key: ProfileKey): Work => {
    const work = works.get(keyOf(key)) ?? { key, deltas: [], absorbed: [], withTraits: false, live: false, memberships: Buffer.alloc(0) };
    works.set(keyOf(key), work);
    return work;
  };
  for (const { tenantId, anchor, state, live } of deltas) {
    const work = workOf({ tenantId, profileId: profileOf(tenantId, anchor) });
    work.deltas.push(state);
    if (state.traits.size > 0) work.withTraits = true;
    if (live) liveTenants.add(tenantId);
    work.live ||= live;
  }
  for (const { tenantId, survivor, absorbed } of regrouping.merged) {
    const work = workOf({ tenantId, profileId: survivor });
    work.absorbed.push(...absorbed.map((profileId) => ({ tenantId, profileId })));
    work.withTraits = true;
  }
  for (const { tenantId, profileId, members } of regrouping.refold) {
    workOf({ tenantId, profileId }).refoldMembers = members;
  }
  // What has no event of its own in the batch changed because of others: told unless they all are historical.
  for (const work of works.values()) if (work.deltas.length === 0) work.live = liveTenants.has(work.key.tenantId);
  return works;
}

function traitKeys(works: Map<string, Work>, rows: Map<string, ProfileState>): ProfileKey[] {
  return [...works.values()]
    .filter((work) => work.withTraits && !work.refoldMembers)
    .flatMap((work) => [work.key, ...work.absorbed])
    .filter((key) => rows.has(keyOf(key)));
}

async function foldAnew(deps: Deps, q: Queries, works: Work[], change: StateChange): Promise<Map<Work, ProfileState>> {
  if (works.length === 0) return new Map();
  const refolds = new Map<Refold, Work>();
  for (const work of works) {
    const { tenantId, profileId } = work.key;
    const members = work.refoldMembers ?? (await deps.membersOf(q, tenantId, [profileId])).get(profileId) ?? [profileId];
    refolds.set({ tenantId, profileId, members }, work);
  }
  // A profile with millions of events takes longer than the transaction may otherwise stand idle.
  await q.query("set local idle_in_transaction_session_timeout = 0");
  const states = await deps.foldHistory([...refolds.keys()], await change.inState());
  deps.meters.add("cdp_profiles_refolded", works.length);
  return new Map([...refolds].map(([refold, work]) => [work, states.get(refold) ?? emptyState()]));
}

/** Brings the memberships of a profile up to date and answers the changes to tell; a profile that is about to lose its row has none. */
function evaluate(work: Work, state: ProfileState, evaluateSegments: EvaluateSegments): SegmentChanged[] {
  if (state.totalEvents === 0) return [];
  const latest = work.deltas.reduce((max, delta) => Math.max(max, delta.lastSeen), -Infinity);
  const ts = latest === -Infinity ? state.lastSeen : latest;
  const { memberships, changes } = evaluateSegments(state, work.memberships, ts);
  work.memberships = memberships;
  return work.live ? changes.map((change) => ({ ...change, ...work.key, ts })) : [];
}

interface Store {
  written: Map<Work, ProfileState>;
  anew: Set<Work>;
  gone: ProfileKey[];
  /** As they were read. */
  rows: Map<string, StoredState>;
}

async function store(q: Queries, { written, anew, gone, rows }: Store): Promise<void> {
  const kept: (ProfileKey & { state: ProfileState; memberships: Buffer; withTraits: boolean })[] = [];
  const emptied: ProfileKey[] = [...gone];
  for (const [work, state] of written) {
    emptied.push(...work.absorbed);
    // A profile that was split off and has no event of its own has no row either.
    if (state.totalEvents === 0) emptied.push(work.key);
    else kept.push({ ...work.key, state, memberships: work.memberships, withTraits: work.withTraits || anew.has(work) });
  }
  const keptKeys = new Set(kept.map(keyOf));
  const ended = new Map(emptied.filter((key) => !keptKeys.has(keyOf(key))).map((key) => [keyOf(key), key]));
  const removed = [...ended].flatMap(([id, key]) => {
    const row = rows.get(id);
    return row ? [{ ...key, version: row.version }] : [];
  });
  await deleteHot(q, removed);
  await deleteTraits(q, [...removed, ...[...anew].map((work) => work.key).filter((key) => rows.has(keyOf(key)) && keptKeys.has(keyOf(key)))]);
  await insertHot(q, kept.filter((row) => !rows.has(keyOf(row))));
  await updateHot(q, kept.flatMap((row) => {
    const before = rows.get(keyOf(row));
    return before ? [{ ...row, version: before.version }] : [];
  }));
  await writeTraits(q, kept.filter((row) => row.withTraits));
}
