import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import type { Directory } from "../contracts/directory.ts";
import type { Routes } from "../contracts/http.ts";
import type { Logger } from "../contracts/logger.ts";
import { createErrorAnswer } from "./answer-errors.ts";
import { authenticateCallers, requireAccess } from "./authenticate.ts";
import { boundAnswers } from "./bound-answers.ts";
import { compileCheck } from "./check-request.ts";
import { drainBody } from "./drain-body.ts";
import { createHealth, type HealthDeps } from "./health.ts";
import { describeApi, isDocsRoute } from "./openapi.ts";
import { mountServiceRoutes } from "./service-routes.ts";

const requestMsMax = 120_000;
/** What is not answered by then gets none; nothing of it was promised. */
const closeMsMax = 3_000;
const sweepMs = 50;
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
 * Lets `close()` end in bounded time. Node closes the connections that are idle at that moment, but not the ones that become
 * so a moment later, nor those on which nothing was asked yet (browsers open some ahead), nor those whose request never ends:
 * any of them would hold it up for a minute or more.
 */
function closePromptly(app: FastifyInstance): void {
  const silent = new Set<Socket>();
  app.server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  app.server.on("request", ({ socket }) => silent.delete(socket));
  app.addHook("preClose", async () => {
    for (const socket of silent) socket.destroy();
    const sweep = setInterval(() => app.server.closeIdleConnections(), sweepMs).unref();
    const end = setTimeout(() => app.server.closeAllConnections(), closeMsMax).unref();
    app.server.once("close", () => {
      clearInterval(sweep);
      clearTimeout(end);
    });
  });
}

/**
 * The HTTP server with every room's routes, ready to listen or to inject into; it rejects when a route is not declared properly.
 * `close()` lets the requests in flight finish, for 3 s at most.
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
    done();
  });
  authenticateCallers(app, directory);
  logRequests(app, log);
  boundAnswers(app, deps.clock);
  closePromptly(app);
  registerBodyParsers(app);

  await describeApi(app, version);
  mountServiceRoutes(app, createHealth(deps), meters.text);
  for (const mount of routes) mount(app);
  await app.ready();
  return app;
}
