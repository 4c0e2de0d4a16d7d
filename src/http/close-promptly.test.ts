import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { closePromptly, type ClosingTimes } from "./close-promptly.ts";

/** A server with one route, which is answered when `answer` is called. */
async function startServer(times: Partial<ClosingTimes>) {
  const app = Fastify();
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  closePromptly(app, times);
  app.get("/", async () => {
    ask();
    await answered;
    return "done";
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { app, port, url: `http://127.0.0.1:${port}/`, asked, answer };
}

test("what was asked is answered, however long after those who never ended asking were cut off", async () => {
  const { app, port, url, asked, answer } = await startServer({ cutOffMs: 10, closeMsMax: 60_000 });
  const endless = connect(port, "127.0.0.1").on("error", () => undefined);
  await once(endless, "connect");
  endless.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
  const response = fetch(url);
  await asked;
  const closed = app.close();
  await once(endless, "close");
  answer();
  expect(await (await response).text()).toBe("done");
  await closed;
});

test("what is not answered in time does not hold up the end", async () => {
  const { app, url, asked } = await startServer({ closeMsMax: 10 });
  const cut = expect(fetch(url)).rejects.toThrow("fetch failed");
  await asked;
  await app.close();
  await cut;
});
