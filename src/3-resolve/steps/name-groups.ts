import type { ProfileId, Regrouping } from "../../contracts/identity.ts";
import type { Group } from "./group.ts";

export interface NamedGroup extends Group {
  profileId: ProfileId;
}

/** The former profiles of which it matters how old they are: where one of several must give its number. */
export function rivalsOf(groups: readonly Group[]): { tenantId: number; profileId: ProfileId }[] {
  return groups
    .filter(({ representatives }) => representatives.length > 1)
    .flatMap(({ tenantId, representatives }) => representatives.map((profileId) => ({ tenantId, profileId })));
}

/**
 * A group keeps the number of the former profile whose representative it holds: of several the one first seen, then the
 * smaller. Without one it takes its smallest identity. `firstSeen` in ms; missing counts as never seen.
 */
export function nameGroups(groups: readonly Group[], firstSeen: ReadonlyMap<ProfileId, number>): NamedGroup[] {
  const ageOf = (id: ProfileId) => firstSeen.get(id) ?? Infinity;
  return groups.map((group) => {
    const [oldest] = [...group.representatives].sort((x, y) => compare(ageOf(x), ageOf(y)) || x - y);
    return { ...group, profileId: oldest ?? group.members?.[0] ?? unnamed() };
  });
}

function unnamed(): never {
  throw new Error("a group has neither a representative nor members");
}

/** Not a subtraction: two that were never seen are equal. */
const compare = (x: number, y: number): number => (x < y ? -1 : x > y ? 1 : 0);

/** What the groups are in comparison with the former profiles. */
export function describeRegrouping(groups: readonly NamedGroup[]): Regrouping {
  const regrouping: Regrouping = { merged: [], refold: [], gone: [] };
  const present = new Set(groups.map(({ profileId }) => profileId));
  const gone = new Map<ProfileId, number>();
  for (const { tenantId, former, whole, members, profileId, cause } of groups) {
    for (const id of former) if (!present.has(id)) gone.set(id, tenantId);
    if (whole && former.length === 1) continue;
    if (whole && cause) regrouping.merged.push({ tenantId, survivor: profileId, absorbed: former.filter((id) => id !== profileId), cause });
    else regrouping.refold.push({ tenantId, profileId, members: members ?? [] });
  }
  regrouping.gone = [...gone].map(([profileId, tenantId]) => ({ tenantId, profileId }));
  return regrouping;
}
