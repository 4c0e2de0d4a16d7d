import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance, type InjectOptions } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Mirror } from "../contracts/mirror.ts";
import { ApiError } from "../core/errors.ts";
import { createPublicIds } from "../core/public-id.ts";
import { defaultTenantSettings } from "../core/tenant-defaults.ts";
import { openMirror } from "../stores/log/mirror.ts";
import type { Db } from "../stores/postgres/db.ts";
import { isOutage } from "../stores/postgres/sqlstates.ts";
import { clonePostgres, type PostgresClone } from "../testing/postgres-clone.ts";
import { createAccess, type AccessRoom } from "./index.ts";

const publicIds = createPublicIds(Buffer.alloc(32, 7));
const clock = { now: () => 1_700_000_000_000 };
const away = (): Db => {
  throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
};

let clone: PostgresClone;
let folder: string;
beforeAll(async () => {
  clone = await clonePostgres();
  folder = await mkdtemp(join(tmpdir(), "access-"));
});
afterAll(async () => {
  await clone.drop();
  await rm(folder, { recursive: true, force: true });
});

const opened: { close(): Promise<unknown> }[] = [];
let mirrors = 0;
let mirror: Mirror;
let room: AccessRoom;
let adminKey = "";
let app: FastifyInstance;

/** Mounted as `src/http` does it: the principal is there before a handler runs. */
async function mount(access: AccessRoom): Promise<FastifyInstance> {
  const server = Fastify();
  server.decorateRequest("principal");
  server.addHook("onRequest", async (request) => {
    const holder = access.directory.authenticate(request.headers.authorization?.slice(7) ?? "");
    if (holder) request.principal = holder;
  });
  server.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof ApiError)) throw error;
    return reply.code(error.status).send({ success: false, error: { code: error.code } });
  });
  access.routes(server);
  opened.push(server);
  await server.ready();
  return server;
}

const open = (db: Db | (() => Db), at: Mirror = mirror): AccessRoom => createAccess({ db, mirror: at, clock, publicIds, isOutage });

beforeEach(async () => {
  await clone.db.query("truncate tenant, api_key, source restart identity cascade");
  mirrors += 1;
  mirror = openMirror({ dir: join(folder, String(mirrors)) });
  opened.push(mirror);
  room = open(clone.db);
  adminKey = (await room.bootstrap({})).adminKey ?? "";
  app = await mount(room);
  return async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  };
});

async function call(key: string, method: "GET" | "POST" | "DELETE", url: string, payload?: object, server = app) {
  const request: InjectOptions = { method, url, headers: { authorization: `Bearer ${key}` }, ...(payload ? { payload } : {}) };
  const response = await server.inject(request);
  return { status: response.statusCode, body: response.body === "" ? undefined : response.json() };
}

async function createTenant(name: string): Promise<string> {
  return (await call(adminKey, "POST", "/api/cdp/tenants", { name })).body.data.apiKey;
}

describe("the first start", () => {
  test("makes tenant default, its built-in sources and an admin key", () => {
    expect(adminKey).toMatch(/^trib_[\w-]{43}$/);
    expect(room.directory.authenticate(adminKey)).toEqual({ tenantId: 1, kind: "api-key", admin: true });
    expect(room.directory.tenant(1)).toEqual({
      tenantId: 1, publicId: expect.stringMatching(/^tenant-/), name: "default", createdAt: clock.now(), settings: defaultTenantSettings,
    });
    expect(room.directory.sources(1).map(({ name, latePolicy, builtIn }) => [name, latePolicy, builtIn])).toEqual([
      ["stream", "quarantine", true], ["api", "apply", true], ["import", "apply", true],
    ]);
    expect(room.directory.builtInSource(1, "stream")).toEqual(room.directory.source(1, 1));
  });

  test("done again, changes nothing and makes no second key", async () => {
    const before = mirror.entries();
    expect(await room.bootstrap({})).toEqual({});
    expect(mirror.entries()).toEqual(before);
  });

  test("hands over a new key before the key is valid", async () => {
    await clone.db.query("delete from api_key");
    const kept: string[] = [];
    const { adminKey: made } = await room.bootstrap({
      async keepAdminKey(key) {
        kept.push(key);
        expect(await clone.db.query("select 1 from api_key")).toEqual([]);
      },
    });
    expect(kept).toEqual([made]);
  });

  test("a key that could not be kept never becomes valid, and the next start makes another", async () => {
    await clone.db.query("delete from api_key");
    await expect(room.bootstrap({ keepAdminKey: () => Promise.reject(new Error("disk full")) })).rejects.toThrow("disk full");
    expect((await room.bootstrap({})).adminKey).toMatch(/^trib_/);
  });
});

describe("the admin key from the settings", () => {
  test("is an admin key of default, and no other is made for it", async () => {
    await clone.db.query("delete from api_key");
    expect(await room.bootstrap({ adminKey: "chosen-by-the-owner" })).toEqual({});
    expect(room.directory.authenticate("chosen-by-the-owner")).toEqual({ tenantId: 1, kind: "api-key", admin: true });
  });

  test("changed, takes back the one before it and leaves the others", async () => {
    await room.bootstrap({ adminKey: "the-first-choice" });
    await room.bootstrap({ adminKey: "the-second-choice" });
    expect(room.directory.authenticate("the-first-choice")).toBeUndefined();
    expect([adminKey, "the-second-choice"].map((key) => room.directory.authenticate(key)?.admin)).toEqual([true, true]);
  });

  test("makes an ordinary key of default an admin key", async () => {
    const { apiKey } = (await call(adminKey, "POST", "/api/cdp/keys", { name: "ci" })).body.data;
    await room.bootstrap({ adminKey: apiKey });
    expect(room.directory.authenticate(apiKey)?.admin).toBe(true);
  });

  test("must not be the key of another tenant or of a source", async () => {
    const other = await createTenant("other");
    const { writeKey } = (await call(adminKey, "POST", "/api/cdp/sources", { name: "web" })).body.data;
    await expect(room.bootstrap({ adminKey: other })).rejects.toThrow("already the key of another tenant");
    await expect(room.bootstrap({ adminKey: writeKey })).rejects.toThrow("already the key of another tenant or of a source");
  });
});

describe("what survives", () => {
  test("keys, sources and tenants work from the mirror alone, without PostgreSQL", async () => {
    const other = await createTenant("Second");
    const { writeKey } = (await call(other, "POST", "/api/cdp/sources", { name: "web", latePolicy: "quarantine" })).body.data;
    const restarted = open(away).directory;
    expect(restarted.ready()).toBe(true);
    for (const key of [adminKey, other, writeKey, "trib_nobody"]) expect(restarted.authenticate(key)).toEqual(room.directory.authenticate(key));
    const { tenantId, sourceId } = restarted.authenticate(writeKey) ?? {};
    expect(restarted.source(tenantId ?? 0, sourceId ?? 0)).toMatchObject({ name: "web", latePolicy: "quarantine", builtIn: false });
    expect(restarted.builtInSource(tenantId ?? 0, "stream")).toMatchObject({ latePolicy: "quarantine", builtIn: true });
  });

  test("nothing is known before the first start", () => {
    const empty = openMirror({ dir: join(folder, `empty-${mirrors}`) });
    opened.push(empty);
    expect(open(away, empty).directory.ready()).toBe(false);
  });

  test("a crash after the commit and before the mirror is healed by the next sync", async () => {
    const lost = open(clone.db, { ...mirror, put: () => Promise.reject(new Error("killed")) });
    const response = await call(adminKey, "POST", "/api/cdp/sources", { name: "half" }, await mount(lost));
    expect(response.status).toBe(500);
    expect(room.directory.sources(1).map(({ name }) => name)).not.toContain("half");
    await room.syncFromState();
    expect(room.directory.sources(1).map(({ name }) => name)).toContain("half");
    expect(open(away).directory.sources(1)).toEqual(room.directory.sources(1));
  });

  test("what PostgreSQL does not know any more is forgotten by a sync, and other rooms' documents are left alone", async () => {
    await mirror.put("erasure:1", { of: "another room" });
    await clone.db.query("delete from api_key");
    await room.syncFromState();
    expect(room.directory.authenticate(adminKey)).toBeUndefined();
    expect(mirror.entries("erasure:").size).toBe(1);
  });

  test("a sync without PostgreSQL rejects and leaves the directory as it was", async () => {
    const restarted = open(away);
    await expect(restarted.syncFromState()).rejects.toThrow("ECONNREFUSED");
    expect(restarted.directory.authenticate(adminKey)?.admin).toBe(true);
  });

  test("no key is written down anywhere", async () => {
    const other = await createTenant("Second");
    const { writeKey } = (await call(other, "POST", "/api/cdp/sources", { name: "web" })).body.data;
    const rows = await clone.db.query("select key_hash::text, name from api_key union all select write_key_hash::text, name from source");
    const written = JSON.stringify([rows, [...mirror.entries()]]);
    expect([adminKey, other, writeKey].filter((key) => written.includes(key) || written.includes(key.slice(5)))).toEqual([]);
  });
});

describe("managing", () => {
  test("POST /tenants answers the tenant's key once", async () => {
    const { status, body } = await call(adminKey, "POST", "/api/cdp/tenants", { name: "Second" });
    expect([status, body]).toEqual([201, {
      success: true, data: { tenantId: expect.stringMatching(/^tenant-/), name: "Second", apiKey: expect.stringMatching(/^trib_/) },
    }]);
    expect(room.directory.authenticate(body.data.apiKey)).toEqual({ tenantId: 2, kind: "api-key", admin: false });
    expect((await call(adminKey, "GET", "/api/cdp/tenants")).body).toEqual({
      success: true,
      data: [
        { tenantId: expect.stringMatching(/^tenant-/), name: "default", createdAt: "2023-11-14T22:13:20.000Z" },
        { tenantId: body.data.tenantId, name: "Second", createdAt: "2023-11-14T22:13:20.000Z" },
      ],
      meta: { nextCursor: null, total: 2 },
    });
  });

  test("POST /sources answers the write key once, late policy apply by default", async () => {
    const { status, body } = await call(adminKey, "POST", "/api/cdp/sources", { name: "web" });
    const createdAt = "2023-11-14T22:13:20.000Z";
    const source = { sourceId: expect.stringMatching(/^source-/), name: "web", latePolicy: "apply", builtIn: false, createdAt };
    expect([status, body.data]).toEqual([201, { ...source, writeKey: expect.stringMatching(/^tribw_/) }]);
    expect(room.directory.authenticate(body.data.writeKey)).toEqual({ tenantId: 1, kind: "write-key", admin: false, sourceId: 4 });
    const listed = await call(adminKey, "GET", "/api/cdp/sources");
    expect(listed.body.data.at(-1)).toEqual({ ...source, sourceId: body.data.sourceId });
  });

  test("a source's name is taken once, also by a built-in one, and in one tenant only", async () => {
    const other = await createTenant("Second");
    const names = ["web", "web", "stream"];
    const statuses: number[] = [];
    for (const name of names) statuses.push((await call(adminKey, "POST", "/api/cdp/sources", { name })).status);
    expect([...statuses, (await call(other, "POST", "/api/cdp/sources", { name: "web" })).status]).toEqual([201, 409, 409, 201]);
  });

  test("the same name twice at once is taken once", async () => {
    const both = await Promise.all([1, 2].map(() => call(adminKey, "POST", "/api/cdp/sources", { name: "web" })));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  test("lists come in pages", async () => {
    const seen: string[] = [];
    let cursor: string | null = "";
    for (let page = 0; cursor !== null && page < 5; page += 1) {
      const { body } = await call(adminKey, "GET", `/api/cdp/sources?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.data.map(({ name }: { name: string }) => name));
      expect(body.meta.total).toBe(3);
      cursor = body.meta.nextCursor;
    }
    expect(seen).toEqual(["stream", "api", "import"]);
  });

  test.each(["nonsense", '["x"]', "[1,2]", "{}"].map((text) => Buffer.from(text).toString("base64url")))("the made-up cursor %s is 422", async (cursor) => {
    expect((await call(adminKey, "GET", `/api/cdp/sources?limit=2&cursor=${cursor}`)).status).toBe(422);
  });

  test("a created key works, is listed by name, and stops to work once deleted", async () => {
    const { keyId, apiKey } = (await call(adminKey, "POST", "/api/cdp/keys", { name: "ci" })).body.data;
    expect(room.directory.authenticate(apiKey)).toEqual({ tenantId: 1, kind: "api-key", admin: false });
    const listed = (await call(apiKey, "GET", "/api/cdp/keys")).body.data;
    expect(listed.map(({ name, admin }: { name: string; admin: boolean }) => [name, admin])).toEqual([["bootstrap", true], ["ci", false]]);
    expect((await call(adminKey, "DELETE", `/api/cdp/keys/${keyId}`)).status).toBe(204);
    expect([room, open(away)].map(({ directory }) => directory.authenticate(apiKey))).toEqual([undefined, undefined]);
    expect((await call(adminKey, "DELETE", `/api/cdp/keys/${keyId}`)).status).toBe(404);
  });

  test("a tenant's last key and, for others, an admin key cannot be deleted", async () => {
    const [{ keyId: last }] = (await call(adminKey, "GET", "/api/cdp/keys")).body.data;
    expect((await call(adminKey, "DELETE", `/api/cdp/keys/${last}`)).status).toBe(409);
    const { apiKey } = (await call(adminKey, "POST", "/api/cdp/keys", { name: "ci" })).body.data;
    expect((await call(apiKey, "DELETE", `/api/cdp/keys/${last}`)).status).toBe(403);
  });

  test("two tenants see nothing of each other", async () => {
    const [one, two] = [await createTenant("One"), await createTenant("Two")];
    const { sourceId } = (await call(one, "POST", "/api/cdp/sources", { name: "only in one" })).body.data;
    const { keyId } = (await call(one, "POST", "/api/cdp/keys", { name: "key of one" })).body.data;
    const seen = JSON.stringify([await call(two, "GET", "/api/cdp/sources"), await call(two, "GET", "/api/cdp/keys")]);
    expect(["only in one", "key of one", sourceId, keyId].filter((text) => seen.includes(text))).toEqual([]);
    expect((await call(two, "DELETE", `/api/cdp/keys/${keyId}`)).status).toBe(404);
    expect(publicIds.decode("source", 3, sourceId)).toBeUndefined();
  });

  test("without PostgreSQL every management route is 503, and keys still work", async () => {
    const server = await mount(open(away));
    const statuses = await Promise.all([
      call(adminKey, "POST", "/api/cdp/tenants", { name: "x" }, server), call(adminKey, "GET", "/api/cdp/tenants", undefined, server),
      call(adminKey, "POST", "/api/cdp/sources", { name: "x" }, server), call(adminKey, "GET", "/api/cdp/sources", undefined, server),
      call(adminKey, "POST", "/api/cdp/keys", { name: "x" }, server), call(adminKey, "GET", "/api/cdp/keys", undefined, server),
      call(adminKey, "DELETE", `/api/cdp/keys/${publicIds.encode("key", 1, 1)}`, undefined, server),
    ]);
    expect(statuses).toEqual(Array(7).fill({ status: 503, body: { success: false, error: { code: "state_unavailable" } } }));
  });
});
