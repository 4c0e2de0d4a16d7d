import type { Entity, EventHead } from "../contracts/canonical-event.ts";
import type { TenantSettings } from "../contracts/directory.ts";
import type { IdentityId, KnownIdentifier, LinkCandidate, ProfileId, Regrouping } from "../contracts/identity.ts";
import type { Logger } from "../contracts/logger.ts";
import type { Meters } from "../contracts/meters.ts";
import { priorityOf } from "../core/tenant-defaults.ts";
import type { Db, Queries, Tx } from "../stores/postgres/db.ts";
import { advanceSequence } from "./queries/advance-sequence.ts";
import { findByHash } from "./queries/find-by-hash.ts";
import { lockIdentityRows } from "./queries/lock-identities.ts";
import { readIdentifiersOf, readMembersOf, type StoredIdentifier } from "./queries/read-profile.ts";
import { readProfilesOf, type TenantIdentity } from "./queries/read-profiles-of.ts";
import { type Decision, decideLinks, type FirstSeenOf } from "./steps/decide-links.ts";
import { createFindProfiles } from "./steps/find-profiles.ts";
import { createKnownLinks } from "./steps/known-links.ts";
import { linkEvents } from "./steps/link-events.ts";
import { createMint } from "./steps/mint-identities.ts";
import { hashIdentifier } from "./steps/order-identifiers.ts";
import { toLink } from "./steps/tenant-link.ts";

export interface ResolveDeps {
  db: Db;
  /** Secret that identifiers are hashed with; changing it loses them. */
  pepper: Uint8Array;
  settingsOf: (tenantId: number) => TenantSettings;
  meters: Meters;
  log: Logger;
  /** Identities of a region that is decided anew; a larger one is frozen. */
  regionMax?: number;
  /** Identifiers, and pairs, kept in memory. */
  cacheMax?: number;
}

interface Found {
  identityId: IdentityId;
  profileId: ProfileId;
}

export interface Resolve {
  /**
   * Gives every identifier its identity id, creating unseen ones in a transaction of its own that is committed when this
   * resolves. Per event its identities in the order of strength (priority, then hash), the anchor first; [] without any.
   * A `profile` identifier whose number the tenant does not have is left out.
   */
  mint(events: readonly EventHead[]): Promise<IdentityId[][]>;
  /** What the events link, from mint's answer: (i1,i2)…(i1,ik) with ord 1…k-1, without what is surely on record. `keys` are the event keys. */
  linksOf(events: readonly EventHead[], identities: readonly IdentityId[][], keys: readonly string[]): LinkCandidate[];
  /** The same as `profilesAt`, from memory where it can be: may be out of date, and must be confirmed by `profilesAt` before it counts. */
  guessProfiles(tx: Tx, ids: readonly TenantIdentity[]): Promise<Map<string, ProfileId>>;
  /** The present profiles of identities, by `${tenantId}:${identityId}`, without lock. */
  profilesAt(tx: Tx, ids: readonly TenantIdentity[]): Promise<Map<string, ProfileId>>;
  /** The same, and nobody moves them to another profile until the transaction ends. */
  lockIdentities(tx: Tx, ids: readonly TenantIdentity[]): Promise<Map<string, ProfileId>>;
  /**
   * Records the links, decides them, moves identities to their profiles, and says what changed: profiles read before may
   * no longer hold. Of profiles that become one, the one that `firstSeenOf` (ms) says is older keeps its number.
   * Call `settle` when the transaction has ended; one transaction at a time may be between the two.
   */
  decide(tx: Tx, links: readonly LinkCandidate[], firstSeenOf: FirstSeenOf): Promise<Regrouping>;
  /** Tells how the transaction of `decide` ended, tried again or not. */
  settle(committed: boolean): void;
  /** Profile → its identities. */
  membersOf(q: Queries, tenantId: number, profileIds: readonly ProfileId[]): Promise<Map<ProfileId, IdentityId[]>>;
  /** Identity → its profile, without lock. */
  profilesOf(q: Queries, tenantId: number, identityIds: readonly IdentityId[]): Promise<Map<IdentityId, ProfileId>>;
  /** A profile's identifiers, strongest first. */
  identifiersOf(q: Queries, tenantId: number, profileId: ProfileId): Promise<KnownIdentifier[]>;
  /** By a normalised identifier. */
  find(q: Queries, tenantId: number, entity: Entity, kind: string, normalisedValue: string): Promise<Found | undefined>;
  /** What a normalised identifier is looked up by in the table `identity`. */
  hashOf(kind: string, normalisedValue: string): Buffer;
  /** At start: ids go on after one that was seen elsewhere (the largest in history). */
  advancePast(id: IdentityId): Promise<void>;
}

/** The room's front door: identifiers → identities → profiles. */
export function createResolve(deps: ResolveDeps): Resolve {
  const { db, pepper, settingsOf, meters, log, regionMax = 10_000, cacheMax = 500_000 } = deps;
  const known = createKnownLinks(cacheMax);
  const places = createFindProfiles(db, cacheMax);
  let decisions: Decision[] = [];
  let latest: Tx | undefined;

  /** What was decided in a transaction before this one that nobody settled is void: it is being tried again. */
  function begin(tx: Tx): void {
    if (tx !== latest) settle(false);
    latest = tx;
  }

  function settle(committed: boolean): void {
    known.settle(committed);
    if (committed) for (const decision of decisions) tell(decision, meters, log);
    decisions = [];
  }

  return {
    mint: createMint({ db, pepper, settingsOf, log, cacheMax }),
    linksOf: (events, identities, keys) => linkEvents(events, identities, keys, known.isKnown),
    guessProfiles: places.guessProfiles,
    profilesAt: places.profilesAt,
    async lockIdentities(tx, ids) {
      const rows = await lockIdentityRows(db.in(tx), ids);
      return new Map(rows.map(({ tenantId, id, profileId }) => [`${tenantId}:${id}`, profileId]));
    },
    async decide(tx, candidates, firstSeenOf) {
      begin(tx);
      const links = known.unseen(candidates.map(toLink));
      if (links.length === 0) return { merged: [], refold: [], gone: [] };
      const decision = await decideLinks(db.in(tx), links, firstSeenOf, { settingsOf, regionMax });
      known.learn(links);
      decisions.push(decision);
      places.note(decision.regrouping);
      return decision.regrouping;
    },
    settle,
    membersOf: readMembersOf,
    async profilesOf(q, tenantId, identityIds) {
      const rows = await readProfilesOf(q, identityIds.map((identityId) => ({ tenantId, identityId })));
      return new Map(rows.map(({ identityId, profileId }) => [identityId, profileId]));
    },
    async identifiersOf(q, tenantId, profileId) {
      const settings = settingsOf(tenantId);
      const stored = await readIdentifiersOf(q, tenantId, profileId);
      return stored.map((row) => toKnown(row, priorityOf(settings, row.kind))).sort((x, y) => y.priority - x.priority);
    },
    async find(q, tenantId, entity, kind, normalisedValue) {
      const [row] = await findByHash(q, [{ tenantId, entity, hash: hashIdentifier(pepper, kind, normalisedValue) }]);
      return row && { identityId: row.identityId, profileId: row.profileId };
    },
    hashOf: (kind, normalisedValue) => Buffer.from(hashIdentifier(pepper, kind, normalisedValue), "latin1"),
    advancePast: (id) => db.transaction((tx) => advanceSequence(db.in(tx), id)),
  };
}

function tell({ refused, frozen }: Decision, meters: Meters, log: Logger): void {
  if (refused > 0) meters.add("cdp_links_refused", refused);
  for (const region of frozen) {
    meters.add("cdp_regions_frozen");
    log.warn(region, "a region of identities is too large to be decided anew and was frozen");
  }
}

/** First byte 0: the value follows in the clear. */
function toKnown({ sealed, ...row }: StoredIdentifier, priority: number): KnownIdentifier {
  return { ...row, priority, value: sealed?.[0] === 0 ? sealed.toString("utf8", 1) : null };
}
