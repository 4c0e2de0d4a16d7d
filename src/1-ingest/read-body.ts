import { isUtf8 } from "node:buffer";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "../core/errors.ts";

/**
 * Parses every body as JSON in UTF-8, also when it is called `text/plain` (what a browser's fetch sends unasked) or
 * nothing at all; 415 for other types, 400 `invalid_json` for what is no JSON. Keys such as `__proto__` are kept as they
 * are, for the door to refuse the row that carries them.
 */
export function registerBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(["application/json", "text/plain"], { parseAs: "buffer" }, parseJson);
  app.addContentTypeParser(/^application\/[\w.-]+\+json/, { parseAs: "buffer" }, parseJson);
  app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    const sent = request.headers["content-type"];
    if (!sent) return parseJson(request, body, done);
    done(new ApiError("unsupported_media_type", "the body must be JSON, sent as application/json or text/plain"));
  });
}

const byteOrderMark = 0xfeff;
const withoutMark = (text: string): string => (text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text);

/** Methods whose body, when a client names its type out of habit, may be empty. */
const bodyless = new Set(["GET", "HEAD", "DELETE"]);

function parseJson(request: FastifyRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void): void {
  if (body.length === 0 && bodyless.has(request.method)) return done(null, undefined);
  if (!isUtf8(body)) return done(new ApiError("invalid_json", "the body is not valid UTF-8"));
  let value: unknown;
  try {
    value = JSON.parse(withoutMark(body.toString("utf8")));
  } catch (error) {
    // The engine's sentence quotes the body; only the place is passed on.
    const place = /at position \d+/.exec((error as Error).message)?.[0];
    return done(new ApiError("invalid_json", body.length === 0 ? "the body is empty" : `the body is not valid JSON${place ? ` ${place}` : ""}`));
  }
  done(null, value);
}
