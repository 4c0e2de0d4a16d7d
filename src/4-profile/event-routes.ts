import type { FastifyInstance, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Principal } from "../contracts/directory.ts";
import type { Routes } from "../contracts/http.ts";
import type { IdentityId, ProfileId } from "../contracts/identity.ts";
import { cursorKey, cursorNumber, decodeCursor, encodeCursor } from "../core/cursor.ts";
import { ApiError } from "../core/errors.ts";
import { parseTimeBound } from "../core/time.ts";
import { createGate } from "./event-gate.ts";
import { createEventStatus, EventStatus } from "./event-status.ts";
import { EventView, eventView } from "./event-view.ts";
import { membersOfPublicId, publicIdsOf } from "./find-profile.ts";
import type { ProfileDeps } from "./deps.ts";
import { listEvents } from "./queries/list-events.ts";

const page = {
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
  cursor: Type.Optional(Type.String({ description: "nextCursor of the page before" })),
};
const filters = {
  type: Type.Optional(Type.String({ description: "Event name" })),
  source: Type.Optional(Type.String({ description: "context.source as sent" })),
  startDate: Type.Optional(Type.String({ description: "ISO-8601; a date alone is a whole day in the tenant's time zone" })),
  endDate: Type.Optional(Type.String({ description: "As startDate; both included when dates" })),
};
const ListAnswer = Type.Object({
  success: Type.Literal(true),
  data: Type.Array(EventView),
  meta: Type.Object({ nextCursor: Type.Union([Type.String(), Type.Null()]) }),
});

interface ListQuery {
  type?: string;
  source?: string;
  startDate?: string;
  endDate?: string;
  profileId?: string;
  limit: number;
  cursor?: string;
}
/** Whose events: everyone's without `of`. */
interface Scope {
  of?: { profileId: ProfileId; members: IdentityId[] };
  withSystem?: boolean;
}

type List = (tenantId: number, query: ListQuery, scope: Scope) => Promise<object>;

/** List queries at once, and those that wait: enough to keep the machine busy, few enough to leave room for what is being processed. */
const gateLimits = { concurrencyMax: 2, waitingMax: 200, waitMsMax: 10_000 };

function createList(deps: ProfileDeps): List {
  const atOnce = createGate(gateLimits);
  return async function list(tenantId, query, { of, withSystem = false }) {
    const zone = deps.settingsOf(tenantId).timeZone;
    const place = query.cursor === undefined ? undefined : decodeCursor(query.cursor, 2);
    const { rows, more } = await atOnce(() => listEvents(deps.history, {
      tenantId,
      withSystem,
      ...(of && { identities: of.members }),
      ...(query.type !== undefined && { name: query.type }),
      ...(query.source !== undefined && { source: query.source }),
      ...(query.startDate !== undefined && { from: parseTimeBound("startDate", query.startDate, zone).start }),
      ...(query.endDate !== undefined && { to: parseTimeBound("endDate", query.endDate, zone).end }),
      ...(place && { after: { ts: cursorNumber(place[0]), key: cursorKey(place[1]) } }),
      limit: query.limit,
    }));
    const ids = of ? undefined : await publicIdsOf(deps, tenantId, rows.map((row) => row.identity));
    const own = of ? deps.publicIds.encode("profile", tenantId, of.profileId) : null;
    const last = more ? rows.at(-1) : undefined;
    return {
      success: true,
      data: rows.map((row) => eventView(row, ids ? (ids.get(row.identity) ?? null) : own, tenantId, deps.directory)),
      meta: { nextCursor: last ? encodeCursor([last.ts, last.key]) : null },
    };
  };
}

const tenantOf = (request: FastifyRequest): number => (request.principal as Principal).tenantId;

/** Reads of events: of the tenant, of a profile, and of one event's fate. Lists are newest first, by cursor. */
export function createEventRoutes(deps: ProfileDeps): Routes {
  const list = createList(deps);
  return (app) => {
    app.get<{ Querystring: ListQuery }>(
      "/api/cdp/events",
      {
        config: { access: "read" },
        schema: {
          tags: ["Events"],
          summary: "Events, newest first",
          querystring: Type.Object({ ...filters, profileId: Type.Optional(Type.String()), ...page }),
          response: { 200: ListAnswer },
        },
      },
      async (request) => {
        const { profileId } = request.query;
        const scope = profileId === undefined ? {} : { of: await membersOfPublicId(deps, tenantOf(request), profileId) };
        return list(tenantOf(request), request.query, scope);
      },
    );
    for (const [path, summary, withSystem] of [
      ["/api/cdp/profiles/:id/events", "A profile's events, newest first", false],
      ["/api/cdp/profiles/:id/timeline", "A profile's events and what Tributary did to it, newest first", true],
    ] as const) {
      const schema = { tags: ["Profiles"], summary, params: Type.Object({ id: Type.String() }), querystring: Type.Object({ ...filters, ...page }), response: { 200: ListAnswer } };
      app.get<{ Params: { id: string }; Querystring: ListQuery }>(path, { config: { access: "read" }, schema }, async (request) =>
        list(tenantOf(request), request.query, { of: await membersOfPublicId(deps, tenantOf(request), request.params.id), withSystem }),
      );
    }
    mountEventStatus(app, deps);
  };
}

function mountEventStatus(app: FastifyInstance, deps: ProfileDeps): void {
  const statusOf = createEventStatus(deps);
  app.get<{ Params: { eventId: string }; Querystring: { sourceId?: string } }>(
    "/api/cdp/events/:eventId",
    {
      config: { access: "read" },
      schema: {
        tags: ["Events"],
        summary: "What became of an accepted event: waiting, processed, quarantined or rejected",
        params: Type.Object({ eventId: Type.String() }),
        querystring: Type.Object({ sourceId: Type.Optional(Type.String({ description: "Else the newest of that id, and how many others" })) }),
        response: { 200: Type.Object({ success: Type.Literal(true), data: EventStatus }) },
      },
    },
    async (request) => {
      const { sourceId } = request.query;
      const sources = deps.directory.sources(tenantOf(request)).filter((source) => sourceId === undefined || source.publicId === sourceId);
      if (sources.length === 0) throw new ApiError("not_found", "there is no such source");
      return { success: true, data: await statusOf(tenantOf(request), request.params.eventId, sources) };
    },
  );
}
