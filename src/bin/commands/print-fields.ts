/** Prints the fields of an answer, one a line: text as it is, everything else as JSON. */
export function printFields(data: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(data)) process.stdout.write(`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}\n`);
}
