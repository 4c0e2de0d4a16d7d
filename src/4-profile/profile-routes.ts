import { Type } from "typebox";
import type { Routes } from "../contracts/http.ts";
import { ApiError } from "../core/errors.ts";
import type { ProfileDeps } from "./deps.ts";
import { noSuchProfile } from "./find-profile.ts";
import { ProfileView } from "./profile-schema.ts";
import { findProfileRow, type ProfileName } from "./queries/find-profile-row.ts";
import { emptyState } from "./state.ts";
import { profileView } from "./view.ts";

const Answer = Type.Object({ success: Type.Literal(true), data: ProfileView });
const TraitTimes = Type.Boolean({ default: false, description: "Add attributeTimes: when each trait was last set" });

/** `GET /api/cdp/profiles/:id` and `GET /api/cdp/profiles/lookup`. */
export function createProfileRoutes(deps: ProfileDeps): Routes {
  const { readDb, clock, publicIds } = deps;

  /** The answer, or undefined when there is no such profile. */
  async function show(tenantId: number, name: ProfileName, traitTimes: boolean): Promise<unknown> {
    const settings = deps.settingsOf(tenantId);
    const found = await findProfileRow(readDb, tenantId, name, new Map(settings.identifierKinds.map(({ kind, priority }) => [kind, priority])));
    if (!found) return undefined;
    const { profileId, stored, identifiers, totalIdentifiers } = found;
    const segments = stored ? deps.segmentIdsOf(tenantId, stored.memberships) : [];
    const viewed = { id: publicIds.encode("profile", tenantId, profileId), state: stored ?? emptyState(), identifiers, totalIdentifiers, segments };
    return { success: true, data: profileView(viewed, settings, clock.now(), { traitTimes }) };
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
        const hash = deps.hashOf(tenantId, type, value);
        const answer = hash && (await show(tenantId, { hash }, traitTimes));
        if (!answer) throw new ApiError("profile_not_found", `no profile has this ${type}`);
        return answer;
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
        const identityId = publicIds.decode("profile", tenantId, request.params.id);
        const answer = identityId !== undefined && (await show(tenantId, { identityId }, request.query.traitTimes));
        return answer || noSuchProfile();
      },
    );
  };
}
