import { STATUS_CODES } from "node:http";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance, FastifySchema, RouteOptions } from "fastify";
import type { Access } from "../contracts/http.ts";
import { errorStatus } from "../core/errors.ts";

type ErrorShape = "envelope" | "stream";

interface Operation {
  tags?: string[];
  parameters?: { in: string; required?: boolean; schema?: object }[];
  responses?: Record<string, { description?: string }>;
  "x-error-shape"?: ErrorShape;
  "x-access"?: Access;
}

interface Document {
  paths?: Record<string, Record<string, Operation>>;
}

const docsPrefix = "/docs";
const withBody = new Set(["post", "put", "patch"]);

/** The documentation's own pages: mounted by a library that does not know our access rules. */
export const isDocsRoute = (url: string): boolean => url === docsPrefix || url.startsWith(`${docsPrefix}/`);

const securitySchemes = {
  apiKey: { type: "http", scheme: "bearer", description: "An API key, or a write key on routes that take events." },
  writeKeyBasic: { type: "http", scheme: "basic", description: "A source's write key as user name, no password." },
  writeKeyHeader: { type: "apiKey", in: "header", name: "X-Write-Key", description: "A source's write key." },
} as const;

const securityOf: Record<Access, Record<string, string[]>[]> = {
  public: [],
  send: [{ apiKey: [] }, { writeKeyBasic: [] }, { writeKeyHeader: [] }],
  read: [{ apiKey: [] }],
  admin: [{ apiKey: [] }],
};

const fieldErrorSchema = {
  type: "object",
  required: ["field", "reason", "message"],
  properties: { field: { type: "string" }, reason: { type: "string" }, message: { type: "string" } },
};

const errorSchemas = {
  Error: {
    type: "object",
    required: ["success", "error"],
    properties: {
      success: { const: false },
      error: {
        type: "object",
        required: ["code", "message"],
        properties: {
          code: { enum: Object.keys(errorStatus) },
          message: { type: "string" },
          details: { type: "array", items: fieldErrorSchema },
        },
      },
    },
  },
  StreamError: {
    type: "object",
    required: ["status", "message"],
    properties: { status: { const: "error" }, message: { type: "string" } },
  },
};

const schemaOf: Record<ErrorShape, keyof typeof errorSchemas> = { envelope: "Error", stream: "StreamError" };

const retryAfter = { description: "Seconds to wait before the next attempt.", schema: { type: "integer" } };

/** One response per status and shape, from the error table, so that every code is documented. */
function errorResponses(): Record<string, object> {
  const statuses = [...new Set(Object.values(errorStatus))];
  const entries = statuses.flatMap((status) => (["envelope", "stream"] as const).map((shape) => {
    const codes = Object.entries(errorStatus).filter(([, of]) => of === status).map(([code]) => `\`${code}\``).join(", ");
    const response = {
      description: codes,
      ...(status === 503 || status === 429 ? { headers: { "Retry-After": retryAfter } } : {}),
      content: { "application/json": { schema: { $ref: `#/components/schemas/${schemaOf[shape]}` } } },
    };
    return [`${schemaOf[shape]}${status}`, response] as const;
  }));
  return Object.fromEntries(entries);
}

/** What a route can answer besides success, from what it takes and who may call it. */
function errorStatuses(method: string, operation: Operation): number[] {
  const takesBody = withBody.has(method);
  const parameters = operation.parameters ?? [];
  return [
    ...(takesBody || parameters.length > 0 ? [400, 422] : []),
    ...(operation["x-access"] === "public" ? [] : [401, 403, 503]),
    ...(parameters.some((one) => one.in === "path") ? [404] : []),
    ...(takesBody ? [413, 415] : []),
    500,
  ];
}

function completeOperation(method: string, operation: Operation): void {
  // What has a default may be left out, though a handler always finds it.
  for (const parameter of operation.parameters ?? []) if ("default" in (parameter.schema ?? {})) parameter.required = false;
  const responses = (operation.responses ??= {});
  for (const [status, response] of Object.entries(responses)) {
    if (response.description === "Default Response") response.description = STATUS_CODES[status] ?? "Answer";
  }
  const schema = schemaOf[operation["x-error-shape"] ?? "envelope"];
  for (const status of errorStatuses(method, operation)) {
    responses[status] ??= { $ref: `#/components/responses/${schema}${status}` } as object;
  }
  delete operation["x-error-shape"];
}

function completeDocument(document: Document): Document {
  for (const operations of Object.values(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(operations)) completeOperation(method, operation);
  }
  return document;
}

/** Adds to a route's schema what its config says: who may call it and how it answers errors. */
function describeRoute({ schema, url, route }: { schema: FastifySchema | undefined; url: string; route: RouteOptions }) {
  const { access = "admin", errors = "envelope" } = route.config ?? {};
  const described = { ...schema, security: securityOf[access], "x-access": access, "x-error-shape": errors };
  return { schema: described as FastifySchema, url };
}

/** Collects every route registered after it into `/openapi.json` (OpenAPI 3.1), and shows it at `/docs`, without the network. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Tributary", version, description: "An open-source Customer Data Platform.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/", description: "This server" }],
      components: { securitySchemes, schemas: errorSchemas as never, responses: errorResponses() as never },
    },
    stripBasePath: false,
    transform: describeRoute as never,
    transformObject: ((from: { openapiObject: Document }) => completeDocument(from.openapiObject)) as never,
  });
  await app.register(swaggerUi, { routePrefix: docsPrefix, uiConfig: { validatorUrl: null, deepLinking: true } });
  app.get("/openapi.json", {
    config: { access: "public" },
    schema: { tags: ["Service"], summary: "This API as an OpenAPI 3.1 document" },
  }, async () => app.swagger());
}
