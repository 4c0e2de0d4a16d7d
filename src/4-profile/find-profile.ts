import { ApiError } from "../core/errors.ts";
import type { ProfileId } from "../contracts/identity.ts";
import type { ProfileDeps } from "./deps.ts";

/** The profile that a public id now stands for: its own, or the one it was merged into. 404 when this tenant never had it. */
export async function profileOfPublicId(deps: ProfileDeps, tenantId: number, publicId: string): Promise<ProfileId> {
  const identityId = deps.publicIds.decode("profile", tenantId, publicId);
  const profileId = identityId === undefined ? undefined : (await deps.profilesOf(deps.db, tenantId, [identityId])).get(identityId);
  if (profileId === undefined) throw new ApiError("profile_not_found", "there is no profile with this id");
  return profileId;
}

/** Public ids of the profiles that these identities belong to; the id of an identity without a profile is absent. */
export async function publicIdsOf(deps: ProfileDeps, tenantId: number, identityIds: number[]): Promise<Map<number, string>> {
  const known = identityIds.filter((id) => id !== 0);
  const profiles = known.length === 0 ? new Map<number, number>() : await deps.profilesOf(deps.db, tenantId, [...new Set(known)]);
  return new Map([...profiles].map(([identity, profile]) => [identity, deps.publicIds.encode("profile", tenantId, profile)]));
}
