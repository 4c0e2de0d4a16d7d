import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { Principal } from "../contracts/directory.ts";
import type { Routes } from "../contracts/http.ts";
import { cursorNumber, decodeCursor, encodeCursor } from "../core/cursor.ts";
import { ApiError } from "../core/errors.ts";
import type { PublicIds } from "../core/public-id.ts";
import { toIso } from "../core/time.ts";
import type { Queries } from "../stores/postgres/db.ts";
import { sourcePublicId, tenantPublicId } from "./held-directory.ts";
import { listKeys, listSources, listTenants, type Page } from "./queries/list-pages.ts";
import * as schema from "./schemas.ts";
import type { createManage } from "./steps/manage.ts";

interface RoutesDeps {
  state(): Queries;
  manage: ReturnType<typeof createManage>;
  publicIds: PublicIds;
  /** Runs what needs PostgreSQL; its outages become 503. */
  fromState<T>(work: () => Promise<T>): Promise<T>;
  /** The same for what changes something: one change at a time. */
  changeState<T>(work: () => Promise<T>): Promise<T>;
}

type ListQuery = Static<typeof schema.ListQuery>;

const tags = ["Access"];

function callerOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Error("a route of this room was mounted without authentication");
  return request.principal;
}

/** The number after which a page begins. */
const afterOf = ({ cursor }: ListQuery): number => (cursor === undefined ? 0 : cursorNumber(decodeCursor(cursor, 1)[0]));

const listAnswer = <Row>({ rows, total, next }: Page<Row>, show: (row: Row) => object) => ({
  success: true, data: rows.map(show), meta: { nextCursor: next === undefined ? null : encodeCursor([next]), total },
});

function mountTenants(app: FastifyInstance, { state, manage, publicIds, fromState, changeState }: RoutesDeps): void {
  app.post<{ Body: Static<typeof schema.NewNamed> }>("/api/cdp/tenants", {
    config: { access: "admin" },
    schema: { tags, summary: "Create a tenant", body: schema.NewNamed, response: { 201: schema.CreatedTenant } },
  }, async ({ body: { name } }, reply) => {
    const { tenantId, apiKey } = await changeState(() => manage.createTenant(name));
    reply.code(201).header("cache-control", "no-store");
    return { success: true, data: { tenantId: tenantPublicId(publicIds, tenantId), name, apiKey } };
  });

  app.get<{ Querystring: ListQuery }>("/api/cdp/tenants", {
    config: { access: "admin" },
    schema: { tags, summary: "List tenants", querystring: schema.ListQuery, response: { 200: schema.TenantList } },
  }, async ({ query }) => {
    const page = await fromState(() => listTenants(state(), afterOf(query), query.limit));
    return listAnswer(page, ({ id, name, created_at }) => ({ tenantId: tenantPublicId(publicIds, id), name, createdAt: created_at.toISOString() }));
  });
}

function mountSources(app: FastifyInstance, { state, manage, publicIds, fromState, changeState }: RoutesDeps): void {
  app.post<{ Body: Static<typeof schema.NewSource> }>("/api/cdp/sources", {
    config: { access: "read" },
    schema: { tags, summary: "Create a source with a write key", body: schema.NewSource, response: { 201: schema.CreatedSource } },
  }, async (request, reply) => {
    const { name, latePolicy = "apply" } = request.body;
    const { source, writeKey } = await changeState(() => manage.createSource(callerOf(request).tenantId, name, latePolicy));
    const sourceId = sourcePublicId(publicIds, source.tenantId, source.sourceId);
    reply.code(201).header("cache-control", "no-store");
    return { success: true, data: { sourceId, name, latePolicy, builtIn: false, createdAt: toIso(source.createdAt), writeKey } };
  });

  app.get<{ Querystring: ListQuery }>("/api/cdp/sources", {
    config: { access: "read" },
    schema: { tags, summary: "List sources", querystring: schema.ListQuery, response: { 200: schema.SourceList } },
  }, async (request) => {
    const { tenantId } = callerOf(request);
    const page = await fromState(() => listSources(state(), tenantId, afterOf(request.query), request.query.limit));
    return listAnswer(page, ({ id, name, late_policy, built_in, created_at }) => ({
      sourceId: sourcePublicId(publicIds, tenantId, id), name, latePolicy: late_policy, builtIn: built_in, createdAt: created_at.toISOString(),
    }));
  });
}

function mountKeys(app: FastifyInstance, { state, manage, publicIds, fromState, changeState }: RoutesDeps): void {
  app.post<{ Body: Static<typeof schema.NewNamed> }>("/api/cdp/keys", {
    config: { access: "read" },
    schema: { tags, summary: "Create an API key", body: schema.NewNamed, response: { 201: schema.CreatedKey } },
  }, async (request, reply) => {
    const { tenantId } = callerOf(request);
    const { name } = request.body;
    const { keyId, apiKey, createdAt } = await changeState(() => manage.createKey(tenantId, name));
    reply.code(201).header("cache-control", "no-store");
    return { success: true, data: { keyId: publicIds.encode("key", tenantId, keyId), name, admin: false, createdAt: toIso(createdAt), apiKey } };
  });

  app.get<{ Querystring: ListQuery }>("/api/cdp/keys", {
    config: { access: "read" },
    schema: { tags, summary: "List API keys", querystring: schema.ListQuery, response: { 200: schema.KeyList } },
  }, async (request) => {
    const { tenantId } = callerOf(request);
    const page = await fromState(() => listKeys(state(), tenantId, afterOf(request.query), request.query.limit));
    return listAnswer(page, ({ id, name, admin, created_at }) => ({
      keyId: publicIds.encode("key", tenantId, id), name, admin, createdAt: created_at.toISOString(),
    }));
  });

  app.delete<{ Params: Static<typeof schema.KeyParams> }>("/api/cdp/keys/:keyId", {
    config: { access: "read" },
    schema: { tags, summary: "Delete an API key", params: schema.KeyParams, response: { 204: { type: "null", description: "Deleted" } } },
  }, async (request, reply) => {
    const { tenantId, admin } = callerOf(request);
    const keyId = publicIds.decode("key", tenantId, request.params.keyId);
    if (keyId === undefined) throw new ApiError("not_found", "There is no such key.");
    await changeState(() => manage.removeKey(tenantId, keyId, admin));
    return reply.code(204).send();
  });
}

/** Managing tenants, sources and keys. All need PostgreSQL; authentication does not. */
export const createRoutes = (deps: RoutesDeps): Routes => (app) => {
  mountTenants(app, deps);
  mountSources(app, deps);
  mountKeys(app, deps);
};
