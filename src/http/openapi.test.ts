import { afterAll, beforeAll, expect, test } from "vitest";
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { Directory } from "../contracts/directory.ts";
import type { Access, Routes } from "../contracts/http.ts";
import { errorStatus } from "../core/errors.ts";
import { checkedByRoute, createApp, createMeters } from "./index.ts";

const nobody: Directory = {
  ready: () => true,
  authenticate: () => undefined,
  tenant: () => undefined,
  source: () => undefined,
  builtInSource: () => undefined,
  sources: () => [],
};

interface Operation {
  security: Record<string, string[]>[];
  parameters?: { in: string; name: string; required: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: { required?: string[] } }> };
  responses: Record<string, { $ref?: string; description?: string }>;
}

interface OpenApi {
  openapi: string;
  info: { title: string; version: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: object; responses: Record<string, { description: string }> };
}

const seen: { method: string; url: string; access: Access | undefined }[] = [];

const sample: Routes = (app) => {
  app.addHook("onRoute", (route) => {
    for (const method of [route.method].flat()) if (method !== "HEAD") seen.push({ method, url: route.url, access: route.config?.access });
  });
  app.get("/api/cdp/things/:id", {
    config: { access: "read" },
    schema: { querystring: Type.Object({ limit: Type.Integer({ default: 5 }) }) },
  }, async () => 1);
  app.post("/api/cdp/things", {
    config: { access: "read" },
    schema: {
      body: Type.Object({ name: Type.String() }),
      response: { 201: Type.Object({ id: Type.String() }), 409: Type.Object({}, { description: "Taken" }) },
    },
  }, async () => 1);
  app.post("/cdp/ingest", {
    config: { access: "send", errors: "stream" },
    schema: { body: Type.Object({ ts: Type.String() }, { [checkedByRoute]: true }) },
  }, async ({ body }) => body);
  app.delete("/api/cdp/things/:id", { config: { access: "admin" } }, async () => 1);
};

let app: FastifyInstance;
let document: OpenApi;
beforeAll(async () => {
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  app = await createApp({
    directory: { ...nobody, authenticate: () => ({ tenantId: 1, kind: "api-key", admin: true }) },
    log: silent, bodyLimit: 1024, version: "9.8.7", meters: createMeters(), registerBodyParsers: () => undefined, routes: [sample],
    checks: {}, readyNeeds: [], refusing: () => [], clock: { now: () => 0 },
  });
  document = (await app.inject("/openapi.json")).json();
});
afterAll(() => app.close());

const operations = (): { path: string; method: string; operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));

function refsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === "$ref" ? [String(inner)] : refsIn(inner)));
}

test("the document is OpenAPI 3.1 of this version and server", () => {
  expect(document).toMatchObject({ openapi: "3.1.0", info: { title: "Tributary", version: "9.8.7" }, servers: [{ url: "/" }] });
});

test("every route is listed, with the keys it takes", () => {
  const listed = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort();
  const mounted = seen.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, "{$1}")}`);
  expect(listed).toEqual([...mounted, "GET /api/cdp/health", "GET /health", "GET /health/live", "GET /health/ready", "GET /metrics", "GET /openapi.json"].sort());
});

test("every operation but the public ones has a security requirement, and each names a scheme", () => {
  const open = operations().filter(({ operation }) => operation.security.length === 0).map(({ path }) => path);
  expect(open.sort()).toEqual(["/api/cdp/health", "/health", "/health/live", "/health/ready", "/openapi.json"]);
  const named = operations().flatMap(({ operation }) => operation.security.flatMap((one) => Object.keys(one)));
  expect(Object.keys(document.components.securitySchemes)).toEqual(expect.arrayContaining(named));
});

test("every reference leads somewhere", () => {
  const lost = refsIn(document).filter((ref) => {
    const target = ref.slice(2).split("/").reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document);
    return !ref.startsWith("#/") || target === undefined;
  });
  expect(lost).toEqual([]);
});

test("path parameters are declared and required, every response is described", () => {
  for (const { path, operation } of operations()) {
    const declared = (operation.parameters ?? []).filter((one) => one.in === "path");
    expect(declared.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    expect(declared.every(({ required }) => required)).toBe(true);
    for (const response of Object.values(operation.responses)) expect(response.$ref ?? response.description).toBeTruthy();
  }
});

test.each([
  ["/api/cdp/things/{id}", "get", ["200", "400", "401", "403", "404", "422", "500", "503"]],
  ["/api/cdp/things", "post", ["201", "400", "401", "403", "409", "413", "415", "422", "500", "503"]],
  ["/api/cdp/things/{id}", "delete", ["200", "400", "401", "403", "404", "422", "500", "503"]],
  ["/api/cdp/health", "get", ["200", "500", "503"]],
  ["/health/live", "get", ["200", "500"]],
  ["/health/ready", "get", ["200", "500", "503"]],
])("%s %s documents what it can answer", (path, method, statuses) => {
  expect(Object.keys(document.paths[path]?.[method]?.responses ?? {}).sort()).toEqual(statuses);
});

test("a parameter with a default may be left out", () => {
  const parameters = document.paths["/api/cdp/things/{id}"]?.["get"]?.parameters;
  expect(parameters?.find(({ name }) => name === "limit")).toMatchObject({ in: "query", required: false, schema: { default: 5 } });
});

test("a route's own description of an error stands", () => {
  expect(document.paths["/api/cdp/things"]?.["post"]?.responses["409"]).toMatchObject({ description: "Taken" });
});

test("STREAM's routes refer to STREAM's error shape", () => {
  expect(document.paths["/cdp/ingest"]?.["post"]?.responses["413"]).toEqual({ $ref: "#/components/responses/StreamError413" });
});

test("every error code is documented", () => {
  const described = Object.values(document.components.responses).map(({ description }) => description).join(" ");
  expect(Object.keys(errorStatus).filter((code) => !described.includes(`\`${code}\``))).toEqual([]);
});

test("a body checked by its route is documented and not checked twice", async () => {
  expect(document.paths["/cdp/ingest"]?.["post"]?.requestBody?.content["application/json"]?.schema.required).toEqual(["ts"]);
  const response = await app.inject({ method: "POST", url: "/cdp/ingest", headers: { authorization: "Bearer x" }, payload: { no: "ts" } });
  expect(response.json()).toEqual({ no: "ts" });
});

test("the docs need no key and fetch nothing from elsewhere", async () => {
  const page = await app.inject("/docs/");
  expect(page.statusCode).toBe(200);
  const sources = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
  expect(sources.length).toBeGreaterThan(2);
  expect(sources.filter((source) => /^(https?:)?\/\//.test(source))).toEqual([]);
  const answers = await Promise.all(sources.map(async (source) => (await app.inject(new URL(source, "http://host/docs/").pathname)).statusCode));
  expect(answers.filter((status) => status !== 200)).toEqual([]);
  const initializer = await app.inject("/docs/static/swagger-initializer.js");
  expect(initializer.body).toMatch(/"?validatorUrl"?: ?null/);
});

test("/docs leads to the docs", async () => {
  expect((await app.inject("/docs")).statusCode).toBeLessThan(400);
});
