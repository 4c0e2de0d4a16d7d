import { randomUUID } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import type { Directory } from "../contracts/directory.ts";
import type { Routes } from "../contracts/http.ts";
import type { Logger } from "../contracts/logger.ts";
import type { Tracing } from "../contracts/tracing.ts";
import { createErrorAnswer } from "./answer-errors.ts";
import { authenticateCallers, requireAccess } from "./authenticate.ts";
import { boundAnswers } from "./bound-answers.ts";
import { compileCheck } from "./check-request.ts";
import { closePromptly, type ClosingTimes } from "./close-promptly.ts";
import { drainBody } from "./drain-body.ts";
import { createHealth, type HealthDeps } from "./health.ts";
import { describeApi, isDocsRoute } from "./openapi.ts";
import { mountServiceRoutes } from "./service-routes.ts";
import { traceRequests } from "./trace-requests.ts";

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
  /** Whether the process is about to end: answers then ask callers to connect anew, elsewhere. */
  stopping?(): boolean;
  closing?: Partial<ClosingTimes>;
  /** Absent unless somebody collects traces. */
  tracing?: Tracing | undefined;
}

/** Unique over restarts: a random part per process and a number per request, because randomness costs a system call each time. */
function createRequestIds(): () => string {
  const process = randomUUID().slice(0, 8);
  let number = 0;
  return () => `req-${process}-${(++number).toString(36)}`;
}

function logRequests(app: FastifyInstance, log: Logger): void {
  app.addHook("onResponse", (request, reply, done) => {
    const { method, id: requestId, routeOptions } = request;
    // The route's pattern, never the URL: that holds ids and e-mail addresses.
    log.debug({ requestId, method, route: routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, "request");
    done();
  });
}

/**
 * The HTTP server with every room's routes, ready to listen or to inject into; it rejects when a route is not declared properly.
 * `close()` answers the requests that have arrived, in bounded time.
 */
export async function createApp(deps: AppDeps): Promise<FastifyInstance> {
  const { directory, log, bodyLimit, version, meters, registerBodyParsers, routes, stopping = () => false } = deps;
  const answerError = createErrorAnswer(log);
  const app = Fastify({
    logger: false,
    bodyLimit,
    trustProxy: false,
    requestTimeout: requestMsMax,
    return503OnClosing: false,
    routerOptions: { maxParamLength: paramLengthMax },
    genReqId: createRequestIds(),
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  });
  app.setErrorHandler(async (error: { code?: unknown }, request, reply) => {
    if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") await drainBody(request.raw);
    return answerError(error, request, reply);
  });
  app.setValidatorCompiler(compileCheck);
  // Response schemas document; nothing that a route answers is dropped for not being in them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addHook("onRoute", (route) => {
    if (isDocsRoute(route.url)) route.config = { ...route.config, access: "public" };
    requireAccess(route);
  });
  app.addHook("onRequest", (_request, reply, done) => {
    reply.header("x-content-type-options", "nosniff");
    if (stopping()) reply.header("connection", "close");
    done();
  });
  authenticateCallers(app, directory);
  logRequests(app, log);
  if (deps.tracing) traceRequests(app, deps.tracing);
  boundAnswers(app, deps.clock);
  closePromptly(app, deps.closing);
  registerBodyParsers(app);

  await describeApi(app, version);
  mountServiceRoutes(app, createHealth(deps), meters.text);
  for (const mount of routes) mount(app);
  await app.ready();
  return app;
}
