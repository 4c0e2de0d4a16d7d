import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

export interface ClosingTimes {
  /** A request that has not arrived by then, or an answer that its reader has not taken, is cut off. */
  cutOffMs: number;
  /** What is not answered by then gets no answer; nothing of it was promised. */
  closeMsMax: number;
}

const timesDefault: ClosingTimes = { cutOffMs: 3_000, closeMsMax: 20_000 };
const sweepMs = 50;

/**
 * Lets `close()` end in bounded time, and answer what has been asked. Node closes the connections that are idle at that moment, but
 * not the ones that become so a moment later, nor those on which nothing was asked yet (browsers open some ahead), nor those
 * whose request never ends: any of them would hold it up for a minute or more.
 */
export function closePromptly(app: FastifyInstance, times: Partial<ClosingTimes> = {}): void {
  const { cutOffMs, closeMsMax } = { ...timesDefault, ...times };
  const silent = new Set<Socket>();
  const open = new Map<ServerResponse, IncomingMessage>();
  app.server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  app.server.on("request", (request: IncomingMessage, answer: ServerResponse) => {
    silent.delete(request.socket);
    open.set(answer, request);
    answer.once("close", () => open.delete(answer));
  });

  /** Those whose other end we wait for; the others wait for us. */
  function cutOff(): void {
    for (const [answer, request] of open) if (!request.complete || answer.headersSent) request.socket.destroy();
  }

  app.addHook("preClose", async () => {
    for (const socket of silent) socket.destroy();
    const sweep = setInterval(() => app.server.closeIdleConnections(), sweepMs).unref();
    const timers = [setTimeout(cutOff, cutOffMs).unref(), setTimeout(() => app.server.closeAllConnections(), closeMsMax).unref()];
    app.server.once("close", () => {
      clearInterval(sweep);
      for (const timer of timers) clearTimeout(timer);
    });
  });
}
