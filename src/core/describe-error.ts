/**
 * What may be logged of an error: databases and JSON.parse quote the values they were given, so of theirs only name and
 * code; of all others the message too.
 */
export function describeError(error: unknown): { name: string; code?: string; message?: string } {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const quotes = error.name === "SyntaxError" || "type" in error || (code !== undefined && /^[0-9A-Z]{5}$/.test(code));
  return { name: error.name, ...(code !== undefined && { code }), ...(!quotes && { message: error.message }) };
}
