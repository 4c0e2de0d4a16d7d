import type { TenantSettings } from "../../contracts/directory.ts";
import type { ProfileId, Regrouping } from "../../contracts/identity.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { freezeProfiles } from "../queries/freeze-profiles.ts";
import type { IdentityRow } from "../queries/lock-identities.ts";
import { moveMembers, moveProfiles } from "../queries/move-members.ts";
import { readKeptApart } from "../queries/read-kept-apart.ts";
import { type IdentityChange, writeIdentities } from "../queries/write-identities.ts";
import { writePartners } from "../queries/write-partners.ts";
import { type Decided, decideCluster } from "./decide-cluster.ts";
import { decideRegion, type Region } from "./decide-region.ts";
import { type Cluster, gatherClusters } from "./gather-clusters.ts";
import { describeRegrouping, type NamedGroup, nameGroups, rivalsOf } from "./name-groups.ts";
import { readRegions } from "./read-regions.ts";
import { recordLinks } from "./record-links.ts";
import type { CandidateLink } from "./tenant-link.ts";

/** Of a tenant's profiles, when each was first seen (ms); those without an event are left out. */
export type FirstSeenOf = (tenantId: number, profileIds: ProfileId[]) => Promise<Map<ProfileId, number>>;

export interface Decision {
  regrouping: Regrouping;
  refused: number;
  /** Profiles of regions that are too large to decide anew: frozen by this decision. */
  frozen: { tenantId: number; profileIds: ProfileId[] }[];
}

const nothing: Decided = { groups: [], refused: 0 };

/**
 * Records links and brings the profiles in line with all that is on record, in a number of statements that does not depend
 * on the number of links (but for regions near `regionMax`, which are read one by one).
 */
export async function decideLinks(
  q: Queries, links: readonly CandidateLink[], firstSeenOf: FirstSeenOf,
  { settingsOf, regionMax }: { settingsOf: (tenantId: number) => TenantSettings; regionMax: number },
): Promise<Decision> {
  const recorded = await recordLinks(q, links, settingsOf);
  if (recorded.links.length === 0) return { regrouping: { merged: [], refold: [], gone: [] }, refused: 0, frozen: [] };
  const profiles = [...recorded.rows.values()].filter(({ id, profileId }) => id === profileId);
  const clusters = gatherClusters(recorded, await readKeptApart(q, profiles));

  const decided = new Map<Cluster, Decided>();
  for (const cluster of clusters) {
    const answer = decideCluster(cluster, cluster.profiles.some((row) => row.frozen));
    if (answer) decided.set(cluster, answer);
  }
  const doubtful = clusters.filter((cluster) => !decided.has(cluster));
  // A region is read from the record, which must know the partners by then.
  if (doubtful.length > 0 && recorded.grown.length > 0) await writePartners(q, recorded.grown);
  const { region, tooLarge } = doubtful.length === 0 ? { region: undefined, tooLarge: [] } : await readRegions(q, doubtful, regionMax);
  for (const cluster of tooLarge) decided.set(cluster, decideCluster(cluster, true) ?? nothing);
  const anew = region ? [decideRegion(region, recorded.links)] : [];
  const all = [...outside(region, decided), ...anew];
  const groups = all.flatMap((one) => one.groups);
  await refreeze(q, tooLarge, region);
  const named = nameGroups(groups, await firstSeenOfAll(rivalsOf(groups), firstSeenOf));
  const rows = new Map([...recorded.rows.values(), ...(region?.rows ?? [])].map((row) => [row.id, row]));
  await writeBack(q, named, rows, doubtful.length > 0 ? [] : recorded.grown);
  const frozen = tooLarge.map(({ tenantId, profiles: rows }) => ({ tenantId, profileIds: rows.map(({ id }) => id) }));
  return { regrouping: describeRegrouping(named), refused: all.reduce((sum, one) => sum + one.refused, 0), frozen };
}

/** What was decided of clusters that a region does not reach: within it everything is decided anew. */
function outside(region: Region | undefined, decided: ReadonlyMap<Cluster, Decided>): Decided[] {
  const reached = new Set(region?.rows.map(({ profileId }) => profileId));
  return [...decided].filter(([cluster]) => !cluster.profiles.some(({ id }) => reached.has(id))).map(([, answer]) => answer);
}

async function firstSeenOfAll(rivals: readonly { tenantId: number; profileId: ProfileId }[], firstSeenOf: FirstSeenOf): Promise<Map<ProfileId, number>> {
  const all = new Map<ProfileId, number>();
  for (const [tenantId, own] of Map.groupBy(rivals, (rival) => rival.tenantId)) {
    for (const [profileId, ms] of await firstSeenOf(tenantId, own.map(({ profileId }) => profileId))) all.set(profileId, ms);
  }
  return all;
}

/** A region that could be decided anew is no longer frozen. */
async function refreeze(q: Queries, tooLarge: readonly Cluster[], region: Region | undefined): Promise<void> {
  const freezing = tooLarge.flatMap(({ tenantId, profiles }) => profiles.map(({ id }) => ({ tenantId, profileId: id })));
  if (freezing.length > 0) await freezeProfiles(q, freezing, true);
  const thawing = (region?.rows ?? []).filter(({ frozen }) => frozen);
  if (thawing.length > 0) await freezeProfiles(q, thawing, false);
}

/** `rows` are the identities as they were read, those that represent a former profile included; `grown` those with unwritten partners. */
async function writeBack(q: Queries, groups: readonly NamedGroup[], rows: ReadonlyMap<number, IdentityRow>, grown: readonly IdentityRow[]): Promise<void> {
  const changes = new Map<number, IdentityChange>();
  const changeOf = ({ tenantId, id, partners, shared }: IdentityRow): IdentityChange => {
    const change = changes.get(id) ?? { tenantId, id, partners, shared, profileId: undefined, group: undefined };
    changes.set(id, change);
    return change;
  };
  for (const row of grown) changeOf(row);
  /** Former profiles whose other members move with the one that represents them. */
  const crowds: { tenantId: number; from: number; to: number }[] = [];
  const strangers: { tenantId: number; id: number; to: number }[] = [];
  const move = (tenantId: number, id: number, to: number): void => {
    const row = rows.get(id);
    if (row) changeOf(row).profileId = to;
    else strangers.push({ tenantId, id, to });
  };
  for (const { tenantId, former, members, profileId } of groups) {
    for (const id of members ?? []) if (rows.get(id)?.profileId !== profileId) move(tenantId, id, profileId);
    for (const from of members ? [] : former) {
      if (from === profileId) continue;
      move(tenantId, from, profileId);
      crowds.push({ tenantId, from, to: profileId });
    }
  }
  for (const group of groups) {
    const row = rows.get(group.profileId);
    if (row && differs(group, row)) changeOf(row).group = { kinds: [...group.kinds].sort(), newest: group.newest, frozen: group.frozen };
  }
  if (crowds.length > 0) await moveProfiles(q, crowds);
  if (strangers.length > 0) await moveMembers(q, strangers);
  if (changes.size > 0) await writeIdentities(q, [...changes.values()]);
}

function differs({ profileId, kinds, newest, frozen }: NamedGroup, row: IdentityRow): boolean {
  if (row.profileId !== profileId || row.newest !== newest || row.frozen !== frozen) return true;
  const before = row.kinds ?? [row.kind];
  return before.length !== kinds.size || before.some((kind) => !kinds.has(kind));
}
