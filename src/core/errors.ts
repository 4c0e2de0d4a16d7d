import type { FieldError } from "../contracts/field-error.ts";

/** One table of everything the API can answer besides success: code → HTTP status. A test checks that the docs name each. */
export const errorStatus = {
  invalid_json: 400,
  invalid_type: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  profile_not_found: 404,
  event_not_found: 404,
  conflict: 409,
  profile_deleted: 410,
  body_too_large: 413,
  batch_too_large: 413,
  unsupported_media_type: 415,
  validation_failed: 422,
  rate_limited: 429,
  internal: 500,
  backlog_full: 503,
  log_unavailable: 503,
  state_unavailable: 503,
  history_unavailable: 503,
  overloaded: 503,
  starting: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export type { FieldError };

/** An error the caller is told about. Everything else that is thrown becomes `internal` and is logged. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly details: FieldError[] | undefined;
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, message: string, more: { details?: FieldError[]; retryAfterS?: number; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.name = "ApiError";
    this.code = code;
    this.details = more.details;
    this.retryAfterS = more.retryAfterS;
  }

  get status(): number {
    return errorStatus[this.code];
  }
}
