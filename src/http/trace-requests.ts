import type { FastifyInstance } from "fastify";
import type { Tracing } from "../contracts/tracing.ts";

/** Records every request for a tenant; probes and documentation are left out. */
export function traceRequests(app: FastifyInstance, tracing: Tracing): void {
  app.addHook("onResponse", (request, reply, done) => {
    const { method, routeOptions: { url, config }, headers: { traceparent, tracestate } } = request;
    if (config.access !== "public" && url !== undefined) {
      const toMs = performance.timeOrigin + performance.now();
      tracing.record({
        // The route's pattern, never the URL: that holds ids and e-mail addresses.
        name: `${method} ${url}`, kind: "request", fromMs: toMs - reply.elapsedTime, toMs, failed: reply.statusCode >= 500,
        attributes: { "http.request.method": method, "http.route": url, "http.response.status_code": reply.statusCode },
        askedBy: { traceparent, tracestate },
      });
    }
    done();
  });
}
