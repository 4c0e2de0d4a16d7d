import type { Directory, TenantSettings } from "../contracts/directory.ts";
import type { IdentityId, ProfileId } from "../contracts/identity.ts";
import type { Meters } from "../contracts/meters.ts";
import type { Clock } from "../core/clock.ts";
import type { PublicIds } from "../core/public-id.ts";
import type { History } from "../stores/clickhouse/history.ts";
import type { Db, Queries } from "../stores/postgres/db.ts";
import type { ReadDb } from "../stores/postgres/read-replica.ts";

/** What the room is handed: stores, and what other rooms know. */
export interface ProfileDeps {
  db: Db;
  /** For what is shown and may be a moment old. */
  readDb: ReadDb;
  history: History;
  directory: Directory;
  clock: Clock;
  publicIds: PublicIds;
  meters: Meters;
  settingsOf(tenantId: number): TenantSettings;
  membersOf(q: Queries, tenantId: number, profileIds: ProfileId[]): Promise<Map<ProfileId, IdentityId[]>>;
  profilesOf(q: Queries, tenantId: number, identityIds: IdentityId[]): Promise<Map<IdentityId, ProfileId>>;
  /** Public ids of the segments that a profile with these memberships is in. */
  segmentIdsOf(tenantId: number, memberships: Buffer): string[];
  segmentCountOf(tenantId: number): number;
  /** What an identifier of a person, as a caller writes it, is looked up by; undefined when nobody can have it. */
  hashOf(tenantId: number, kind: string, value: string): Buffer | undefined;
  /** Which of these event keys wait in the log. */
  findWaiting(keys: string[]): Promise<Set<string>>;
}
