import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { lockIdentityRows, readIdentityRows } from "../queries/lock-identities.ts";
import { readKeptApart } from "../queries/read-kept-apart.ts";
import { readLinksAmong } from "../queries/read-links-among.ts";
import { type RegionMember, scanRegion } from "../queries/scan-region.ts";
import type { Region } from "./decide-region.ts";
import type { Cluster } from "./gather-clusters.ts";

interface Scan {
  members: Map<IdentityId, RegionMember>;
  /** Clusters whose region has more identities than may be read, and identities that are surely in such a region. */
  tooLarge: Cluster[];
  inTooLarge: Set<IdentityId>;
}

/**
 * Reads all that hangs together with the clusters, and locks it: the identities that represent profiles there, so that
 * nobody adds a link until the end of the transaction. Clusters whose region exceeds `regionMax` identities are named instead.
 */
export async function readRegions(q: Queries, clusters: readonly Cluster[], regionMax: number): Promise<{ region: Region; tooLarge: Cluster[] }> {
  const locked = new Set<ProfileId>(clusters.flatMap(({ profiles }) => profiles.map(({ id }) => id)));
  for (;;) {
    const scan: Scan = { members: new Map(), tooLarge: [], inTooLarge: new Set() };
    await scanClusters(q, clusters, regionMax, scan);
    const members = [...scan.members.values()];
    const profiles = new Map(members.map(({ tenantId, profileId }) => [profileId, { tenantId, identityId: profileId }]));
    const unlocked = [...profiles.values()].filter(({ identityId }) => !locked.has(identityId));
    if (unlocked.length === 0) return { region: await readRegion(q, members), tooLarge: scan.tooLarge };
    for (const { id } of await lockIdentityRows(q, unlocked)) locked.add(id);
  }
}

/** All clusters at once; halved while that is too much, so that only a region that is too large alone is left out. */
async function scanClusters(q: Queries, clusters: readonly Cluster[], regionMax: number, scan: Scan): Promise<void> {
  const surelyTooLarge = clusters.filter(({ profiles }) => profiles.some(({ id }) => scan.inTooLarge.has(id)));
  scan.tooLarge.push(...surelyTooLarge);
  const open = clusters.filter((cluster) => !surelyTooLarge.includes(cluster));
  if (open.length === 0) return;
  const seeds = open.flatMap(({ tenantId, profiles }) => profiles.map(({ id }) => ({ tenantId, profileId: id })));
  const found = await scanRegion(q, seeds, regionMax + 1);
  if (found.length <= regionMax) {
    for (const member of found) scan.members.set(member.id, member);
  } else if (open.length === 1) {
    scan.tooLarge.push(...open);
    for (const { id } of found) scan.inTooLarge.add(id);
  } else {
    const half = Math.ceil(open.length / 2);
    await scanClusters(q, open.slice(0, half), regionMax, scan);
    await scanClusters(q, open.slice(half), regionMax, scan);
  }
}

async function readRegion(q: Queries, members: readonly RegionMember[]): Promise<Region> {
  if (members.length === 0) return { rows: [], links: [], keptApart: [] };
  const identities = members.map(({ tenantId, id }) => ({ tenantId, identityId: id }));
  const rows = await readIdentityRows(q, identities);
  const links = await readLinksAmong(q, identities);
  const { keptApart } = await readKeptApart(q, members.filter(({ id, profileId }) => id === profileId));
  return { rows, links, keptApart };
}
