import Fastify from "fastify";
import { expect, test } from "vitest";
import { ApiError } from "../core/errors.ts";
import { registerBodyParsers } from "./read-body.ts";

async function send(payload: string | Buffer, contentType?: string): Promise<[number, unknown]> {
  const app = Fastify({ bodyLimit: 1024 * 1024 });
  registerBodyParsers(app);
  app.setErrorHandler((error, _request, reply) => reply.code(error instanceof ApiError ? error.status : 500).send(error instanceof ApiError ? error.code : "crash"));
  app.post("/", async (request) => ({ keys: Object.keys(request.body as object), polluted: "a" in {} }));
  const answer = await app.inject({ method: "POST", url: "/", payload, headers: contentType === undefined ? {} : { "content-type": contentType } });
  return [answer.statusCode, answer.statusCode === 200 ? answer.json() : answer.body];
}

const read = { keys: ["a"], polluted: false };

test.each([["application/json"], ["application/json; charset=utf-8"], ["text/plain;charset=UTF-8"], ["application/cloudevents+json"], [undefined]])("%s is read as JSON", async (contentType) => {
  expect(await send(Buffer.from('{"a":1}'), contentType)).toEqual([200, read]);
});

test("a byte order mark is no part of the JSON", async () => {
  expect(await send(Buffer.from('\ufeff{"a":1}'), "application/json")).toEqual([200, read]);
});

test("__proto__ stays an ordinary key, for the door to see", async () => {
  expect(await send('{"__proto__":{"a":1}}', "application/json")).toEqual([200, { keys: ["__proto__"], polluted: false }]);
});

test("10,000 levels are parsed", async () => {
  expect(await send(`${"[".repeat(10_000)}${"]".repeat(10_000)}`, "application/json")).toMatchObject([200, { keys: ["0"] }]);
});

test.each([
  ["no JSON", Buffer.from("{a:1}")],
  ["nothing", Buffer.from("")],
  ["Latin-1", Buffer.from('{"a":"é"}', "latin1")],
  ["an overlong sequence", Buffer.from([0x22, 0xc0, 0x80, 0x22])],
  ["half a character", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
])("%s is invalid_json", async (_case, payload) => {
  expect(await send(payload, "application/json")).toEqual([400, "invalid_json"]);
});

test.each([["application/xml"], ["application/x-www-form-urlencoded"], ["text/html"]])("%s is no supported type", async (contentType) => {
  expect(await send("a=1", contentType)).toEqual([415, "unsupported_media_type"]);
});
