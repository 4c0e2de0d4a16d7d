import { ApiError } from "../core/errors.ts";
import type { IdentityId, ProfileId } from "../contracts/identity.ts";
import type { ProfileDeps } from "./deps.ts";
import { findMembers } from "./queries/find-members.ts";

/** The profile that a public id now stands for, its own or the one it was merged into, with its members. 404 when this tenant never had it. */
export async function membersOfPublicId(deps: ProfileDeps, tenantId: number, publicId: string): Promise<{ profileId: ProfileId; members: IdentityId[] }> {
  const identityId = deps.publicIds.decode("profile", tenantId, publicId);
  const found = identityId === undefined ? undefined : await findMembers(deps.readDb, tenantId, identityId);
  return found ?? noSuchProfile();
}

export function noSuchProfile(): never {
  throw new ApiError("profile_not_found", "there is no profile with this id");
}

/** Public ids of the profiles that these identities belong to; the id of an identity without a profile is absent. */
export async function publicIdsOf(deps: ProfileDeps, tenantId: number, identityIds: number[]): Promise<Map<number, string>> {
  const known = identityIds.filter((id) => id !== 0);
  const profiles = known.length === 0 ? new Map<number, number>() : await deps.profilesOf(deps.readDb, tenantId, [...new Set(known)]);
  return new Map([...profiles].map(([identity, profile]) => [identity, deps.publicIds.encode("profile", tenantId, profile)]));
}
