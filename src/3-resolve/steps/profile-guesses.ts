import type { IdentityId, ProfileId } from "../../contracts/identity.ts";
import { createTwoGenerations } from "../../core/two-generations.ts";

/** The profiles in which identities were seen last. They may have moved since: whoever goes by a guess must confirm it before it counts. */
export interface ProfileGuesses {
  get(tenantId: number, identityId: IdentityId): ProfileId | undefined;
  /** Notes that an identity is in a profile; for a profile that was absorbed, the one that it became part of. */
  set(tenantId: number, identityId: IdentityId, profileId: ProfileId): void;
}

/** Numbers are kept as the bits of a float: exact, and two words each. */
const keyLayout = { tenantId: 0, id: 1, words: 3 } as const;
const valueWords = 2;
/** Profiles absorbed one after the other; a longer way is not followed to its end. */
const stepsMax = 10;

/** At most `entriesMax` identities, 27 bytes each; surely those met among the latest half of that. */
export function createProfileGuesses(entriesMax: number): ProfileGuesses {
  const seen = createTwoGenerations(entriesMax, keyLayout.words, valueWords);
  const key = new Uint32Array(keyLayout.words);
  const bits = new Uint32Array(2);
  const number = new Float64Array(bits.buffer);
  const value = new Uint32Array(valueWords);
  const profile = new Float64Array(value.buffer);

  function point(tenantId: number, id: number): void {
    key[keyLayout.tenantId] = tenantId;
    number[0] = id;
    key.set(bits, keyLayout.id);
  }
  function lookUp(tenantId: number, id: number): number | undefined {
    point(tenantId, id);
    return seen.get(key, value) ? profile[0] : undefined;
  }
  return {
    get(tenantId, identityId) {
      let at = lookUp(tenantId, identityId);
      // A profile has the number of one of its identities, which tells where all of them went.
      for (let n = 0; at !== undefined && n < stepsMax; n++) {
        const next = lookUp(tenantId, at);
        if (next === undefined || next === at) break;
        at = next;
      }
      return at;
    },
    set(tenantId, identityId, profileId) {
      point(tenantId, identityId);
      profile[0] = profileId;
      seen.set(key, value);
    },
  };
}
