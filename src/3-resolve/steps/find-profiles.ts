import type { ProfileId, Regrouping } from "../../contracts/identity.ts";
import type { Db, Tx } from "../../stores/postgres/db.ts";
import { readProfilesOf, type TenantIdentity } from "../queries/read-profiles-of.ts";
import { createProfileGuesses } from "./profile-guesses.ts";

/** In which profiles identities are, by `${tenantId}:${identityId}`. */
export interface FindProfiles {
  /** Without lock. */
  profilesAt(tx: Tx, ids: readonly TenantIdentity[]): Promise<Map<string, ProfileId>>;
  /** The same, from memory where it can be. */
  guessProfiles(tx: Tx, ids: readonly TenantIdentity[]): Promise<Map<string, ProfileId>>;
  /** Notes what was decided. If its transaction fails in the end, that is found out to be wrong and noted anew. */
  note(regrouping: Regrouping): void;
}

export function createFindProfiles(db: Db, guessesMax: number): FindProfiles {
  const guesses = createProfileGuesses(guessesMax);

  async function profilesAt(tx: Tx, ids: readonly TenantIdentity[]): Promise<Map<string, ProfileId>> {
    if (ids.length === 0) return new Map();
    const rows = await readProfilesOf(db.in(tx), ids);
    for (const { tenantId, identityId, profileId } of rows) guesses.set(tenantId, identityId, profileId);
    return new Map(rows.map(({ tenantId, identityId, profileId }) => [`${tenantId}:${identityId}`, profileId]));
  }
  function move(tenantId: number, profileId: ProfileId, members: readonly number[]): void {
    for (const member of members) guesses.set(tenantId, member, profileId);
    guesses.set(tenantId, profileId, profileId);
  }
  return {
    profilesAt,
    async guessProfiles(tx, ids) {
      const guessed = new Map<string, ProfileId>();
      const unknown: TenantIdentity[] = [];
      for (const id of ids) {
        const profileId = guesses.get(id.tenantId, id.identityId);
        if (profileId === undefined) unknown.push(id);
        else guessed.set(`${id.tenantId}:${id.identityId}`, profileId);
      }
      for (const [id, profileId] of await profilesAt(tx, unknown)) guessed.set(id, profileId);
      return guessed;
    },
    note({ merged, refold }) {
      for (const { tenantId, survivor, absorbed } of merged) move(tenantId, survivor, absorbed);
      for (const { tenantId, profileId, members } of refold) move(tenantId, profileId, members);
    },
  };
}
