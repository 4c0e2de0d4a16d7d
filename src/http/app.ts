import { randomUUID } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import type { Directory } from "../contracts/directory.ts";
import type { Routes } from "../contracts/http.ts";
import type { Logger } from "../contracts/logger.ts";
import { createErrorAnswer } from "./answer-errors.ts";
import { authenticateCallers, requireAccess } from "./authenticate.ts";
import { compileCheck } from "./check-request.ts";
import { createHealth, type HealthDeps } from "./health.ts";
import { describeApi, isDocsRoute } from "./openapi.ts";
import { mountServiceRoutes } from "./service-routes.ts";

const requestMsMax = 120_000;
/** Longer than any id or eventId that is percent-encoded. */
const paramLengthMax = 4096;

export interface AppDeps extends HealthDeps {
  directory: Directory;
  log: Logger;
  /** Largest body in bytes. */
  bodyLimit: number;
  version: string;
  meters: { text(): Promise<string> };
  /** How bodies are parsed: the room that takes events brings it, because its limits are part of parsing. */
  registerBodyParsers(app: FastifyInstance): void;
  routes: Routes[];
}

function logRequests(app: FastifyInstance, log: Logger): void {
  app.addHook("onResponse", async (request, reply) => {
    const { method, id: requestId, routeOptions } = request;
    // The route's pattern, never the URL: that holds ids and e-mail addresses.
    log.debug({ requestId, method, route: routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, "request");
  });
}

/**
 * The HTTP server with every room's routes, ready to listen or to inject into; it rejects when a route is not declared properly.
 * `close()` lets the requests in flight finish.
 */
export async function createApp(deps: AppDeps): Promise<FastifyInstance> {
  const { directory, log, bodyLimit, version, meters, registerBodyParsers, routes } = deps;
  const answerError = createErrorAnswer(log);
  const app = Fastify({
    logger: false,
    bodyLimit,
    trustProxy: false,
    requestTimeout: requestMsMax,
    return503OnClosing: false,
    routerOptions: { maxParamLength: paramLengthMax },
    genReqId: () => `req-${randomUUID()}`,
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  });
  app.setErrorHandler(answerError);
  app.setValidatorCompiler(compileCheck);
  // Response schemas document; nothing that a route answers is dropped for not being in them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addHook("onRoute", (route) => {
    if (isDocsRoute(route.url)) route.config = { ...route.config, access: "public" };
    requireAccess(route);
  });
  app.addHook("onRequest", async (_request, reply) => void reply.header("x-content-type-options", "nosniff"));
  authenticateCallers(app, directory);
  logRequests(app, log);
  registerBodyParsers(app);

  await describeApi(app, version);
  mountServiceRoutes(app, createHealth(deps), meters.text);
  for (const mount of routes) mount(app);
  await app.ready();
  return app;
}
