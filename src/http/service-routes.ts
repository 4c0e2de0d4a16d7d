import type { FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import Type from "typebox";
import type { Health } from "./health.ts";

const healthSchema = Type.Object({
  status: Type.Enum(["ok", "error"]),
  timestamp: Type.String({ format: "date-time" }),
  failing: Type.Optional(Type.Array(Type.String(), { description: "Names of the checks that fail." })),
  checks: Type.Optional(Type.Record(Type.String(), Type.Object({
    ok: Type.Boolean(),
    ms: Type.Number(),
    detail: Type.Optional(Type.String()),
  }), { description: "With an API key only." })),
  accepting: Type.Optional(Type.Boolean({ description: "With an API key only: whether events are taken." })),
});

const probeSchema = Type.Object({
  status: Type.Enum(["ok", "error"]),
  timestamp: Type.String({ format: "date-time" }),
  failing: Type.Optional(Type.Array(Type.String(), { description: "`log`, `keys`, `backlog` or `stopping`." })),
});

/** Routes about the process itself. `text` is what `/metrics` answers. */
export function mountServiceRoutes(app: FastifyInstance, health: Health, text: () => Promise<string>): void {
  for (const url of ["/api/cdp/health", "/health"]) {
    app.get(url, {
      config: { access: "public" },
      schema: {
        tags: ["Service"],
        summary: "Whether the log, the databases and the disk work",
        response: { 200: healthSchema, 503: { ...healthSchema, description: "A check fails" } },
      },
    }, async (request, reply) => {
      // A write key is public: it lies in web pages.
      const answer = await health.full(request.principal?.kind === "api-key");
      return reply.code(answer.status === "ok" ? 200 : 503).header("cache-control", "no-store").send(answer);
    });
  }

  app.get("/health/live", {
    config: { access: "public" },
    schema: { tags: ["Service"], summary: "That the process works: restart it when this is not answered", response: { 200: probeSchema } },
  }, async (_request, reply) => reply.header("cache-control", "no-store").send(health.live()));

  app.get("/health/ready", {
    config: { access: "public" },
    schema: {
      tags: ["Service"],
      summary: "Whether to send requests here: the log can be written, keys are known, the backlog is not full, and it is not stopping",
      response: { 200: probeSchema, 503: { ...probeSchema, description: "Not now; this is no reason for a restart" } },
    },
  }, async (_request, reply) => {
    const answer = await health.ready();
    return reply.code(answer.status === "ok" ? 200 : 503).header("cache-control", "no-store").send(answer);
  });

  app.get("/metrics", {
    config: { access: "admin" },
    schema: { tags: ["Service"], summary: "Meters in Prometheus' text format", produces: ["text/plain"], response: { 200: Type.String() } },
  }, async (_request, reply) => reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(await text()));
}
