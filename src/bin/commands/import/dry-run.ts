import { toReject } from "./rejects-file.ts";
import { checkColumns, createToEvent, type ImportRequest } from "./import-file.ts";
import { openRows } from "./read-rows.ts";

const rejectsShown = 5;

/** Maps every row, prints the first event and the first rejects, and neither sends nor writes anything. */
export async function dryRun(request: ImportRequest, signal: AbortSignal, print: (line: string) => void): Promise<{ accepted: number; rejected: number }> {
  const { rows } = openRows(request.file, request.format, (columns) => checkColumns(columns, request.mapping), signal);
  const toEvent = createToEvent(request.mapping);
  const counts = { accepted: 0, rejected: 0 };
  for await (const row of rows) {
    const mapped = "row" in row ? toEvent(row.row) : { errors: [row.error] };
    if ("event" in mapped) {
      if (counts.accepted++ === 0) print(`The first event:\n${JSON.stringify(mapped.event, null, 2)}`);
    } else if (counts.rejected++ < rejectsShown) {
      print(`Line ${row.line}: ${JSON.stringify(toReject(row.line, "row" in row ? row.row : row.raw, mapped.errors))}`);
    }
  }
  print(`${counts.accepted + counts.rejected} rows: ${counts.accepted} can be sent, ${counts.rejected} cannot. Nothing was sent.`);
  return counts;
}
