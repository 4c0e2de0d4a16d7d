import { afterEach, expect, test } from "vitest";
import type { EventBody } from "./map-row.ts";
import { answerError, type RecordingRules, type RecordingServer, startRecordingServer } from "../../../testing/recording-server.ts";
import { createSendBatch, type SendSettings } from "./send-batch.ts";

let server: RecordingServer | undefined;
afterEach(() => server?.close());

const event = (id: string): EventBody => ({ eventId: id, type: "purchase", identifiers: [{ type: "external_id", value: id }] });
const events = (count: number): EventBody[] => Array.from({ length: count }, (_, i) => event(String(i)));
const never = new AbortController().signal;

async function startSending(rules: RecordingRules, settings: Partial<SendSettings> = {}) {
  server = await startRecordingServer(rules);
  const connection = { url: server.url, apiKey: "key" };
  const waits: string[] = [];
  const send = createSendBatch(connection, { historical: true, giveUpAfterMs: 60_000, backOffMs: 1, onWait: (message) => waits.push(message), ...settings });
  return { send, server, waits };
}

test.each([503, 429, 500])("a %i is waited out", async (status) => {
  const { send, server, waits } = await startSending({ intercept: (request, reply) => request < 3 && answerError(reply, status, "not_now") });
  expect(await send(events(2), never)).toEqual([undefined, undefined]);
  expect([server.batches, waits.length]).toEqual([[2, 2, 2], 2]);
  expect(waits[0]).toContain(`answered ${status}. not_now: not_now it is`);
});

test("Retry-After is added to the pause", async () => {
  const { send, waits } = await startSending({ intercept: (request, reply) => request === 1 && answerError(reply, 503, "backlog_full", { "retry-after": "1" }) });
  await send(events(1), never);
  expect(waits[0]).toMatch(/Trying again in 1\.\d s\.$/);
});

test("a broken connection is tried again", async () => {
  const { send, waits } = await startSending({
    intercept(request, reply) {
      if (request === 1) reply.raw.destroy();
      return request === 1;
    },
  });
  expect(await send(events(1), never)).toEqual([undefined]);
  expect(waits[0]).toContain("No answer from");
});

test("gives up after the limit and says why", async () => {
  const { send } = await startSending({ intercept: (_, reply) => answerError(reply, 503, "backlog_full") }, { giveUpAfterMs: 50 });
  await expect(send(events(1), never)).rejects.toThrow(/^Gave up after 0 s\. .*503\. backlog_full/);
});

test("a batch that is too large is halved until it fits, and the answers keep their places", async () => {
  const { send, server } = await startSending({
    intercept: (_, reply, batch) => batch.length > 2 && answerError(reply, 413, "body_too_large"),
    reject: ({ eventId }) => (eventId === "4" ? { reason: "bad", field: "x", message: "m" } : undefined),
  });
  expect(await send(events(5), never)).toEqual([undefined, undefined, undefined, undefined, [{ reason: "bad", field: "x", message: "m" }]]);
  expect(server.accepted.map(({ eventId }) => eventId)).toEqual(["0", "1", "2", "3"]);
});

test("an event that alone is too large is rejected alone", async () => {
  const { send } = await startSending({ intercept: (_, reply, batch) => batch.some(({ eventId }) => eventId === "1") && answerError(reply, 413, "body_too_large") });
  expect(await send(events(3), never)).toEqual([undefined, [expect.objectContaining({ reason: "body_too_large" })], undefined]);
});

test("a 422 that lists its rows rejects them all", async () => {
  const { send } = await startSending({ reject: () => ({ reason: "too_old", field: "timestamp", message: "before 1971" }) });
  expect(await send(events(2), never)).toEqual(Array(2).fill([{ reason: "too_old", field: "timestamp", message: "before 1971" }]));
});

test.each([
  [401, /The API key is not known there: check TRIBUTARY_API_KEY/],
  [403, /The API key may not do this/],
  [404, /answered 404\. nope/],
  [422, /answered 422\. nope: nope it is/],
])("a %i ends it at once with a sentence", async (status, sentence) => {
  const { send, server } = await startSending({ intercept: (_, reply) => answerError(reply, status, "nope") });
  await expect(send(events(1), never)).rejects.toThrow(sentence);
  expect(server.batches).toEqual([1]);
});

test("an answer that does not account for every row is an error", async () => {
  const { send } = await startSending({
    intercept(_, reply) {
      void reply.code(202).send({ success: true, data: { accepted: 1, rejected: 0, results: [] } });
      return true;
    },
  });
  await expect(send(events(2), never)).rejects.toThrow("answered for 1 rows when 2 were sent");
});

test("an abort ends the waiting", async () => {
  const stop = new AbortController();
  const { send } = await startSending(
    { intercept: (_, reply) => answerError(reply, 503, "backlog_full", { "retry-after": "600" }) },
    { onWait: () => stop.abort(new Error("enough")) },
  );
  await expect(send(events(1), stop.signal)).rejects.toThrow();
});
