import type { TenantSettings } from "../../contracts/directory.ts";
import type { IdentityId } from "../../contracts/identity.ts";
import { priorityOf } from "../../core/tenant-defaults.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { type IdentityRow, lockIdentityRows } from "../queries/lock-identities.ts";
import { readKnownLinks } from "../queries/read-known-links.ts";
import { writeLinks } from "../queries/write-links.ts";
import { weakerEnd } from "../rules/shared-identifier.ts";
import { placeOf } from "./order-links.ts";
import { type CandidateLink, pairOf } from "./tenant-link.ts";

type SettingsOf = (tenantId: number) => TenantSettings;

const partnersMaxDefault = 5;

export interface RecordedLink extends CandidateLink {
  /** The pair was on record with a later (ts, key): no new partner. */
  moved: boolean;
}

export interface Recorded {
  /** The links that changed the record. */
  links: RecordedLink[];
  /** The ends of all links and the identities that represent their profiles, locked, with their new partner counts. */
  rows: Map<IdentityId, IdentityRow>;
  /** Identities with new partners: their counts are in `rows`, and not written yet. */
  grown: IdentityRow[];
  /** Those of them that these links made shared. */
  becameShared: IdentityRow[];
}

/**
 * Locks the ends of links, and then the identities that represent their profiles: whoever holds the latter is alone in
 * changing what belongs to a profile or touches it. Then writes what is new. Links between tenants or entities are none.
 */
export async function recordLinks(q: Queries, candidates: readonly CandidateLink[], settingsOf: SettingsOf): Promise<Recorded> {
  const rows = new Map<IdentityId, IdentityRow>();
  // What is on record stays there, so that nothing need be locked to leave it out.
  const unknown = await withoutKnown(q, candidates);
  if (unknown.length === 0) return { links: [], rows, grown: [], becameShared: [] };
  await lockInto(rows, q, unknown.flatMap(({ tenantId, a, b }) => [{ tenantId, identityId: a }, { tenantId, identityId: b }]));
  const sound = unknown.filter((link) => isSound(link, rows));
  const links = await withoutKnown(q, sound);
  if (links.length === 0) return { links, rows, grown: [], becameShared: [] };
  const ends = links.flatMap(({ a, b }) => [rows.get(a), rows.get(b)]).filter((row) => row !== undefined);
  const unlocked = ends.filter(({ profileId }) => !rows.has(profileId));
  await lockInto(rows, q, unlocked.map(({ tenantId, profileId }) => ({ tenantId, identityId: profileId })));
  await writeLinks(q, links);
  return { links, rows, ...countNewPartners(links, rows, settingsOf) };
}

async function lockInto(rows: Map<IdentityId, IdentityRow>, q: Queries, identities: { tenantId: number; identityId: IdentityId }[]): Promise<void> {
  if (identities.length === 0) return;
  for (const row of await lockIdentityRows(q, identities)) rows.set(row.id, row);
}

function isSound(link: CandidateLink, rows: Map<IdentityId, IdentityRow>): boolean {
  const [a, b] = [rows.get(link.a), rows.get(link.b)];
  return a !== undefined && b !== undefined && a.tenantId === link.tenantId && b.tenantId === link.tenantId && a.entity === b.entity;
}

async function withoutKnown(q: Queries, links: readonly CandidateLink[]): Promise<RecordedLink[]> {
  if (links.length === 0) return [];
  const places = new Map((await readKnownLinks(q, links)).map((link) => [pairOf(link), placeOf(link)]));
  return links.flatMap((link) => {
    const known = places.get(pairOf(link));
    return known !== undefined && known <= placeOf(link) ? [] : [{ ...link, moved: known !== undefined }];
  });
}

function countNewPartners(links: readonly RecordedLink[], rows: Map<IdentityId, IdentityRow>, settingsOf: SettingsOf): Pick<Recorded, "grown" | "becameShared"> {
  const grown = new Set<IdentityRow>();
  for (const link of links.filter(({ manual, moved }) => !manual && !moved)) {
    const settings = settingsOf(link.tenantId);
    const weaker = weakerEnd(link, (id) => priorityOf(settings, rows.get(id)?.kind ?? ""));
    const row = weaker === undefined ? undefined : rows.get(weaker);
    if (!row) continue;
    row.partners += 1;
    grown.add(row);
  }
  const becameShared = [...grown].filter((row) => !row.shared && row.partners > partnersMaxOf(settingsOf(row.tenantId), row.kind));
  for (const row of becameShared) row.shared = true;
  return { grown: [...grown], becameShared };
}

export function partnersMaxOf(settings: TenantSettings, kind: string): number {
  return settings.identifierKinds.find((known) => known.kind === kind)?.partnersMax ?? partnersMaxDefault;
}
