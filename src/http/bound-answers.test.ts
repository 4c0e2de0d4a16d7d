import { once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, expect, test } from "vitest";
import { ApiError } from "../core/errors.ts";
import { boundAnswers, type AnswerLimits } from "./bound-answers.ts";

let app: FastifyInstance;
const sockets: Socket[] = [];
let now = 0;
/** More than the buffers of two sockets hold. */
const largeBytes = 16_000_000;

async function start(limits: Partial<AnswerLimits>): Promise<number> {
  app = Fastify();
  app.setErrorHandler((error, _request, reply) => reply.code(error instanceof ApiError ? error.status : 500).send(String(error)));
  boundAnswers(app, { now: () => now }, { unreadBytesMax: largeBytes * 1.5, graceMs: 1000, ...limits });
  app.get("/large", () => "x".repeat(largeBytes));
  app.get("/small", () => "x");
  await app.listen({ port: 0, host: "127.0.0.1" });
  return (app.server.address() as AddressInfo).port;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

/** Asks for a large answer and takes the first bytes only. */
async function askAndStop(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  sockets.push(socket);
  socket.on("error", () => undefined);
  socket.write("GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await once(socket, "readable");
  return socket;
}

const ask = async (port: number, path: string): Promise<[number, number]> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, (await response.text()).length];
};

test("answers that are taken leave no trace", async () => {
  const port = await start({});
  for (let i = 0; i < 2; i++) expect(await ask(port, "/large")).toEqual([200, largeBytes]);
});

test("while a recent reader holds the memory another large answer is refused, a small one not", async () => {
  const port = await start({});
  await askAndStop(port);
  expect((await ask(port, "/large"))[0]).toBe(503);
  expect(await ask(port, "/small")).toEqual([200, 1]);
});

test("a slow reader is cut off when another needs its memory", async () => {
  const port = await start({});
  const slow = await askAndStop(port);
  now += 1000;
  expect(await ask(port, "/large")).toEqual([200, largeBytes]);
  slow.resume();
  await once(slow, "close");
  expect(slow.bytesRead).toBeLessThan(largeBytes);
});

test("a slow reader that goes away frees what it held", async () => {
  const port = await start({});
  const slow = await askAndStop(port);
  slow.destroy();
  await expect.poll(() => ask(port, "/large"), { timeout: 30_000 }).toEqual([200, largeBytes]);
});

test("whoever takes longer than the time for an answer is cut off", async () => {
  const port = await start({ answerMsMax: 50 });
  const cut = new Promise((resolve) => app.server.once("connection", (socket: Socket) => socket.once("close", resolve)));
  const slow = await askAndStop(port);
  await cut;
  slow.resume();
  await once(slow, "close");
  expect(slow.bytesRead).toBeLessThan(largeBytes);
});
