const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

function* withinError(error: unknown): Generator<unknown> {
  if (typeof error !== "object" || error === null) return;
  yield error;
  if ("cause" in error) yield* withinError(error.cause);
  if ("errors" in error && Array.isArray(error.errors)) for (const one of error.errors) yield* withinError(one);
}

/** No broker could be reached: the same call may succeed later. A refused login will not. */
export function isKafkaAway(error: unknown): boolean {
  const codes = [...withinError(error)].map(codeOf);
  return codes.includes("PLT_KFK_NETWORK") && !codes.includes("PLT_KFK_AUTHENTICATION");
}
