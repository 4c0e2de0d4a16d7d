import type { FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import Type from "typebox";
import type { createHealth } from "./health.ts";

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

/** Routes about the process itself. `text` is what `/metrics` answers. */
export function mountServiceRoutes(app: FastifyInstance, health: ReturnType<typeof createHealth>, text: () => Promise<string>): void {
  app.get("/api/cdp/health", {
    config: { access: "public" },
    schema: {
      tags: ["Service"],
      summary: "Whether the log, the databases and the disk work",
      response: { 200: healthSchema, 503: { ...healthSchema, description: "A check fails" } },
    },
  }, async (request, reply) => {
    // A write key is public: it lies in web pages.
    const answer = await health(request.principal?.kind === "api-key");
    return reply.code(answer.status === "ok" ? 200 : 503).header("cache-control", "no-store").send(answer);
  });

  app.get("/metrics", {
    config: { access: "admin" },
    schema: { tags: ["Service"], summary: "Meters in Prometheus' text format", produces: ["text/plain"], response: { 200: Type.String() } },
  }, async (_request, reply) => reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(await text()));
}
