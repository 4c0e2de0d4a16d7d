import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "../contracts/logger.ts";
import { ApiError, errorStatus, type ErrorCode } from "../core/errors.ts";

/** Fastify's own errors that a caller can cause, with our sentence for each. */
const fastifyErrors: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ["body_too_large", "The body is larger than MAX_BODY_BYTES allows; send fewer rows at once."],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["unsupported_media_type", "The body must be JSON: Content-Type application/json."],
  FST_ERR_CTP_EMPTY_JSON_BODY: ["invalid_json", "The body is empty; it must be JSON."],
  FST_ERR_CTP_INVALID_JSON_BODY: ["invalid_json", "The body is not valid JSON."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["invalid_json", "The body is not as long as Content-Length says."],
  FST_ERR_BAD_URL: ["not_found", "There is nothing at this path."],
  FST_ERR_MAX_PARAM_LENGTH: ["not_found", "There is nothing at this path."],
};

const retryAfterSDefault = 1;

interface Thrown {
  name?: string;
  code?: unknown;
  statusCode?: unknown;
  message?: unknown;
  stack?: unknown;
}

/** What the caller is told, or undefined when the error is ours. */
function toApiError(error: Thrown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  const known = typeof error.code === "string" ? fastifyErrors[error.code] : undefined;
  if (known) return new ApiError(...known);
  const { statusCode } = error;
  if (typeof statusCode !== "number" || statusCode < 400 || statusCode > 499) return undefined;
  const sameStatus = Object.entries(errorStatus).find(([, status]) => status === statusCode)?.[0] as ErrorCode | undefined;
  return new ApiError(sameStatus ?? "invalid_json", "The request could not be read.");
}

/** Messages of JSON.parse and of databases quote what they were given; those stay out of the log. */
function withoutValues(error: Thrown): object {
  const quotes = error.name === "SyntaxError" || (typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code));
  const frames = String(error.stack ?? "").split("\n").filter((line) => line.startsWith("    at ")).join("\n");
  return { name: error.name, code: error.code, message: quotes ? undefined : error.message, stack: frames };
}

function bodyOf(error: ApiError, style: "envelope" | "stream" | undefined): object {
  const { code, message, details } = error;
  if (style === "stream") return { status: "error", message };
  return { success: false, error: { code, message, ...(details ? { details } : {}) } };
}

/** The one place that turns what was thrown into an answer. */
export function createErrorAnswer(log: Logger) {
  return function answerError(thrown: Thrown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { config, url: route } = request.routeOptions ?? {};
    const told = toApiError(thrown);
    const where = { requestId: request.id, method: request.method, route };
    if (told) log.debug({ ...where, code: told.code }, "request refused");
    else log.error({ ...where, error: withoutValues(thrown) }, "request failed");
    const error = told ?? new ApiError("internal", `Something failed on our side. The log has more under ${request.id}.`);
    if (error.status === 401) reply.header("www-authenticate", 'Bearer realm="tributary"');
    const retryAfterS = error.retryAfterS ?? (error.status === 503 || error.status === 429 ? retryAfterSDefault : undefined);
    if (retryAfterS !== undefined) reply.header("retry-after", String(Math.ceil(retryAfterS)));
    return reply.code(error.status).type("application/json; charset=utf-8").send(bodyOf(error, config?.errors));
  };
}
