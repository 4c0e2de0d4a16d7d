import { Type } from "typebox";
import type { Routes } from "../contracts/http.ts";
import type { ProfileId } from "../contracts/identity.ts";
import { ApiError } from "../core/errors.ts";
import { profileOfPublicId } from "./find-profile.ts";
import type { ProfileDeps } from "./deps.ts";
import { ProfileView } from "./profile-schema.ts";
import { readProfile } from "./queries/profile-rows.ts";
import { emptyState } from "./state.ts";
import { profileView } from "./view.ts";

const Answer = Type.Object({ success: Type.Literal(true), data: ProfileView });
const TraitTimes = Type.Boolean({ default: false, description: "Add attributeTimes: when each trait was last set" });

/** `GET /api/cdp/profiles/:id` and `GET /api/cdp/profiles/lookup`. */
export function createProfileRoutes(deps: ProfileDeps): Routes {
  const { db, clock, publicIds } = deps;

  async function show(tenantId: number, profileId: ProfileId, traitTimes: boolean): Promise<unknown> {
    const [stored, identifiers] = await Promise.all([readProfile(db, { tenantId, profileId }), deps.identifiersOf(db, tenantId, profileId)]);
    const state = stored ?? emptyState();
    const segments = stored ? deps.segmentIdsOf(tenantId, stored.memberships) : [];
    const id = publicIds.encode("profile", tenantId, profileId);
    return { success: true, data: profileView({ id, state, identifiers, segments }, deps.settingsOf(tenantId), clock.now(), { traitTimes }) };
  }

  return (app) => {
    app.get<{ Querystring: { type: string; value: string; traitTimes: boolean } }>(
      "/api/cdp/profiles/lookup",
      {
        config: { access: "read" },
        schema: {
          tags: ["Profiles"],
          summary: "The profile that an identifier belongs to",
          querystring: Type.Object({
            type: Type.String({ description: "Identifier kind: external_id, email, phone, device_id, anonymous_id" }),
            value: Type.String({ minLength: 1, maxLength: 1024, description: "As you have it: it is normalised as events are" }),
            traitTimes: TraitTimes,
          }),
          response: { 200: Answer },
        },
      },
      async (request) => {
        const { tenantId } = request.principal as { tenantId: number };
        const { type, value, traitTimes } = request.query;
        const profileId = await deps.findProfile(tenantId, type, value);
        if (profileId === undefined) throw new ApiError("profile_not_found", `no profile has this ${type}`);
        return show(tenantId, profileId, traitTimes);
      },
    );
    app.get<{ Params: { id: string }; Querystring: { traitTimes: boolean } }>(
      "/api/cdp/profiles/:id",
      {
        config: { access: "read" },
        schema: {
          tags: ["Profiles"],
          summary: "A profile by its id, or by the id of one that was merged into it",
          params: Type.Object({ id: Type.String() }),
          querystring: Type.Object({ traitTimes: TraitTimes }),
          response: { 200: Answer },
        },
      },
      async (request) => {
        const { tenantId } = request.principal as { tenantId: number };
        return show(tenantId, await profileOfPublicId(deps, tenantId, request.params.id), request.query.traitTimes);
      },
    );
  };
}
