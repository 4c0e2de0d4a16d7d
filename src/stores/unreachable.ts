const errnos = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"]);

/** A server over the network could not be reached: the same call may succeed later. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof Error && ("code" in error && typeof error.code === "string" ? errnos.has(error.code) : /socket hang up|Timeout error/i.test(error.message));
