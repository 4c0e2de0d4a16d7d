import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FastifyInstance, InjectOptions } from "fastify";
import Type from "typebox";
import type { Directory, Principal } from "../contracts/directory.ts";
import type { Access, Routes } from "../contracts/http.ts";
import { ApiError } from "../core/errors.ts";
import { createApp, createMeters, type AppDeps } from "./index.ts";

const holders: Record<string, Principal> = {
  trib_admin: { tenantId: 1, kind: "api-key", admin: true },
  trib_api: { tenantId: 1, kind: "api-key", admin: false },
  trib_other: { tenantId: 2, kind: "api-key", admin: false },
  tribw_web: { tenantId: 1, kind: "write-key", admin: false, sourceId: 7 },
};

const directoryOf = (ready: () => boolean): Directory => ({
  ready,
  authenticate: (secret) => holders[secret],
  tenant: () => undefined,
  source: () => undefined,
  builtInSource: () => undefined,
  sources: () => [],
});

const accesses: Access[] = ["public", "send", "read", "admin"];
const Limits = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  since: Type.Optional(Type.String({ format: "date-time" })),
  tags: Type.Optional(Type.Array(Type.String())),
  deep: Type.Optional(Type.Boolean()),
});

const sample: Routes = (app) => {
  for (const access of accesses) {
    app.post(`/as/${access}`, { config: { access } }, async ({ principal }) => ({
      tenantId: principal?.tenantId ?? null, sourceId: principal?.sourceId ?? null,
    }));
  }
  app.post("/stream", { config: { access: "send", errors: "stream" } }, async () => {
    const details = [{ field: "name", reason: "required", message: "name is required" }];
    throw new ApiError("validation_failed", "TRACK events require a name", { details });
  });
  app.post("/body", {
    config: { access: "read" },
    schema: { body: Type.Object({ name: Type.String({ minLength: 1 }), sort: Type.Optional(Type.Enum(["up", "down"])) }) },
  }, async (request) => request.body);
  app.get("/list/:id", { config: { access: "read" }, schema: { querystring: Limits, params: Type.Object({ id: Type.Integer() }) } },
    async (request) => ({ query: request.query, params: request.params }));
  app.get("/busy", { config: { access: "read" } }, async () => {
    throw new ApiError("backlog_full", "Too much is waiting", { retryAfterS: 7 });
  });
  app.post("/bug", { config: { access: "read" } }, async () => {
    throw new Error("the bug");
  });
  app.post("/data-bug", { config: { access: "read" } }, async ({ body }) => {
    throw Object.assign(new Error(`duplicate key ${JSON.stringify(body)}`), { code: "23505", detail: JSON.stringify(body) });
  });
};

const lines: unknown[] = [];
const note = (fields: object, message: string): void => void lines.push({ ...fields, message });
const state = { ready: true };

const deps = (): AppDeps => ({
  directory: directoryOf(() => state.ready),
  log: { debug: () => undefined, info: note, warn: note, error: note },
  bodyLimit: 2048,
  version: "1.2.3",
  meters: createMeters(),
  registerBodyParsers: () => undefined,
  routes: [sample],
  checks: { log: async () => undefined },
  readyNeeds: [], refusing: () => [],
  clock: { now: () => 1_700_000_000_000 },
});

let app: FastifyInstance;
beforeAll(async () => {
  app = await createApp(deps());
});
afterAll(() => app.close());

const bearer = (key: string): InjectOptions => ({ headers: { authorization: `Bearer ${key}` } });
const basic = (user: string, password = ""): InjectOptions => ({
  headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` },
});
const header = (key: string): InjectOptions => ({ headers: { "x-write-key": key } });
const inBody = (key: string): InjectOptions => ({ payload: { writeKey: key } });
const post = (url: string, more: InjectOptions = {}) => app.inject({ method: "POST", url, ...more });

describe("who may call what", () => {
  test.each<[string, InjectOptions, number, number, number, number]>([
    // sent                                      public send read admin
    ["no key", {}, 200, 401, 401, 401],
    ["an empty header", { headers: { authorization: "" } }, 200, 401, 401, 401],
    ["a wrong key", bearer("trib_nobody"), 200, 401, 401, 401],
    ["a scheme nobody knows", { headers: { authorization: "Digest trib_api" } }, 200, 401, 401, 401],
    ["a key without scheme", { headers: { authorization: "trib_admin" } }, 200, 401, 401, 401],
    ["the admin key", bearer("trib_admin"), 200, 200, 200, 200],
    ["an API key", bearer("trib_api"), 200, 200, 200, 403],
    ["a write key as bearer", bearer("tribw_web"), 200, 200, 403, 403],
    ["a write key as Basic user", basic("tribw_web"), 200, 200, 403, 403],
    ["a write key in X-Write-Key", header("tribw_web"), 200, 200, 403, 403],
    ["a write key in the body", inBody("tribw_web"), 200, 200, 401, 401],
    ["a wrong write key as Basic user", basic("tribw_nobody"), 200, 401, 401, 401],
    ["a write key as Basic password", basic("", "tribw_web"), 200, 401, 401, 401],
    ["a wrong key in X-Write-Key", header("tribw_nobody"), 200, 401, 401, 401],
    ["a wrong key in the body", inBody("tribw_nobody"), 200, 401, 401, 401],
    ["an API key as Basic user", basic("trib_api"), 200, 401, 401, 401],
    ["an API key in X-Write-Key", header("trib_admin"), 200, 401, 401, 401],
    ["an API key in the body", inBody("trib_api"), 200, 401, 401, 401],
    ["a wrong bearer beside a right body", { ...bearer("trib_nobody"), ...inBody("tribw_web") }, 200, 401, 401, 401],
    ["a body that names no key", { payload: { writeKey: { toString: "x" } } }, 200, 401, 401, 401],
  ])("%s", async (_, sent, ...expected) => {
    const found = await Promise.all(accesses.map(async (access) => (await post(`/as/${access}`, sent)).statusCode));
    expect(found).toEqual(expected);
  });

  test("the caller's tenant and source come from the key", async () => {
    expect((await post("/as/send", bearer("trib_other"))).json()).toEqual({ tenantId: 2, sourceId: null });
    expect((await post("/as/send", inBody("tribw_web"))).json()).toEqual({ tenantId: 1, sourceId: 7 });
    expect((await post("/as/public", bearer("trib_api"))).json()).toEqual({ tenantId: 1, sourceId: null });
  });

  test("a wrong key is answered before the body is looked at", async () => {
    const headers = { ...bearer("trib_nobody").headers, "content-type": "application/json" };
    const response = await post("/as/send", { headers, payload: "{not json" });
    expect(response.statusCode).toBe(401);
  });

  test("401 names the scheme", async () => {
    expect((await post("/as/read")).headers["www-authenticate"]).toBe('Bearer realm="tributary"');
  });

  test("while the directory is not known, keys are answered 503 and public routes work", async () => {
    state.ready = false;
    const [guarded, open] = [await post("/as/read", bearer("trib_api")), await post("/as/public", bearer("trib_api"))];
    state.ready = true;
    expect([guarded.statusCode, guarded.headers["retry-after"], guarded.json().error.code]).toEqual([503, "1", "starting"]);
    expect(open.statusCode).toBe(200);
  });

  test("a route that does not say who may call it stops the start", async () => {
    const routes: Routes[] = [(one) => void one.get("/forgotten", async () => "x")];
    await expect(createApp({ ...deps(), routes })).rejects.toThrow("Route GET /forgotten does not say who may call it");
  });
});

describe("errors", () => {
  const api = bearer("trib_api").headers ?? {};
  const json = { ...api, "content-type": "application/json" };

  test.each<[string, InjectOptions & { url: string }, number, string]>([
    ["a body that is no JSON", { url: "/body", headers: json, payload: "{oops" }, 400, "invalid_json"],
    ["an empty JSON body", { url: "/body", headers: json, payload: "" }, 400, "invalid_json"],
    ["no body at all", { url: "/body", headers: api }, 400, "invalid_type"],
    ["a body of a wrong type", { url: "/body", headers: json, payload: '{"name":5}' }, 400, "invalid_type"],
    ["a body that breaks a rule", { url: "/body", headers: json, payload: '{"name":""}' }, 422, "validation_failed"],
    ["a body that is too large", { url: "/body", headers: json, payload: JSON.stringify({ name: "x".repeat(4000) }) }, 413, "body_too_large"],
    ["a media type nobody takes", { url: "/body", headers: { ...api, "content-type": "text/csv" }, payload: "a,b" }, 415, "unsupported_media_type"],
    ["a path that does not exist", { url: "/nowhere", headers: api }, 404, "not_found"],
    ["a path that does not exist, without a key", { url: "/nowhere" }, 404, "not_found"],
    ["a path that cannot be decoded", { url: "/%zz" }, 404, "not_found"],
    ["a method that a path does not take", { url: "/busy", headers: api }, 404, "not_found"],
  ])("%s", async (_, request, status, code) => {
    const response = await app.inject({ method: "POST", ...request });
    expect([response.statusCode, response.json()]).toMatchObject([status, { success: false, error: { code } }]);
  });

  test("details name the field, the reason and what was expected", async () => {
    const response = await app.inject({ method: "POST", url: "/body", headers: json, payload: '{"sort":"sideways"}' });
    expect(response.json()).toEqual({
      success: false,
      error: {
        code: "validation_failed",
        message: "name is required (and 1 more)",
        details: [
          { field: "name", reason: "required", message: "name is required" },
          { field: "sort", reason: "not_allowed", message: "sort must be one of up, down" },
        ],
      },
    });
  });

  test.each<[string, InjectOptions, number, string]>([
    ["a rule", { headers: json, payload: "{}" }, 422, "TRACK events require a name"],
    ["no key", {}, 401, "A key is needed: Authorization: Bearer <key>."],
    ["no JSON", { headers: json, payload: "{" }, 400, "The body is not valid JSON."],
    ["too large", { headers: json, payload: `"${"x".repeat(4000)}"` }, 413,
      "The body is larger than MAX_BODY_BYTES allows; send fewer rows at once."],
    ["media type", { headers: { ...api, "content-type": "text/csv" }, payload: "a" }, 415, "The body must be JSON: Content-Type application/json."],
  ])("STREAM's routes answer in STREAM's shape: %s", async (_, request, status, message) => {
    const response = await post("/stream", request);
    expect([response.statusCode, response.json()]).toEqual([status, { status: "error", message }]);
  });

  test("an overload says when to come back", async () => {
    const response = await app.inject({ url: "/busy", headers: api });
    expect([response.statusCode, response.headers["retry-after"]]).toEqual([503, "7"]);
  });

  test("what nobody foresaw is 500 with a request id, and only the log has the stack", async () => {
    lines.length = 0;
    const response = await post("/bug", { headers: json, payload: '{"email":"ada@example.com"}' });
    expect(response.statusCode).toBe(500);
    expect(response.json().error).toEqual({ code: "internal", message: expect.stringMatching(/under req-[0-9a-z-]{10,}\.$/) });
    expect(response.body).not.toContain("the bug");
    expect(lines).toEqual([expect.objectContaining({
      message: "request failed", route: "/bug", method: "POST",
      error: { name: "Error", code: undefined, message: "the bug", stack: expect.stringContaining("app.test.ts") },
    })]);
  });

  test("values that a database quotes stay out of the log", async () => {
    lines.length = 0;
    await post("/data-bug", { headers: json, payload: '{"email":"ada@example.com"}' });
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain("ada@example.com");
  });
});

describe("query and path", () => {
  const get = (url: string) => app.inject({ url, ...bearer("trib_api") });

  test("texts are read by the schema and defaults filled in", async () => {
    expect((await get("/list/12?limit=5&deep=true&tags=a&unknown=1")).json()).toEqual({
      query: { limit: 5, deep: true, tags: ["a"], unknown: "1" }, params: { id: 12 },
    });
    expect((await get("/list/12")).json().query).toEqual({ limit: 20 });
  });

  test.each([
    ["/list/12?limit=many", 400, "limit", "wrong_type"],
    ["/list/12?limit=1.5", 400, "limit", "wrong_type"],
    ["/list/12?limit=", 400, "limit", "wrong_type"],
    ["/list/12?limit=1&limit=2", 400, "limit", "wrong_type"],
    ["/list/12?limit=101", 422, "limit", "too_large"],
    ["/list/12?limit=0", 422, "limit", "too_small"],
    ["/list/12?since=yesterday", 422, "since", "wrong_format"],
    ["/list/12?deep=maybe", 400, "deep", "wrong_type"],
    ["/list/twelve", 400, "id", "wrong_type"],
  ])("%s is %i", async (url, status, field, reason) => {
    const response = await get(url);
    expect([response.statusCode, response.json().error.details]).toEqual([status, [expect.objectContaining({ field, reason })]]);
  });
});

test("answers cannot be sniffed for another type, and do not tell what serves them", async () => {
  const { headers } = await post("/as/public");
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers).not.toHaveProperty("x-powered-by");
});

test("a request in flight is answered when the server closes", async () => {
  const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const routes: Routes[] = [(one) => void one.get("/slow", { config: { access: "public" } }, async () => {
    enter();
    await released;
    return { done: true };
  })];
  const server = await createApp({ ...deps(), routes });
  const address = await server.listen({ port: 0, host: "127.0.0.1" });
  const answer = fetch(`${address}/slow`);
  await entered;
  const closed = server.close();
  release();
  expect(await (await answer).json()).toEqual({ done: true });
  await closed;
});
