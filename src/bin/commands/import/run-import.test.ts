import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import type { FileRow } from "./file-row.ts";
import { createToEvent } from "./import-file.ts";
import { freshState } from "./import-state.ts";
import { openRows } from "./read-rows.ts";
import { openRejectsFile } from "./rejects-file.ts";
import { runImport } from "./run-import.ts";

const directory = mkdtempSync(join(tmpdir(), "run-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("of 200,000 rows never more are in memory than the batches in flight and the one being filled", async () => {
  const file = join(directory, "large.csv");
  writeFileSync(file, `id,customer,value\n${Array.from({ length: 200_000 }, (_, i) => `${i},c${i % 999},${i % 50}.5\n`).join("")}`);
  const signal = new AbortController().signal;
  let taken = 0;
  let answered = 0;
  let openMax = 0;
  async function* counted(rows: AsyncIterable<FileRow>): AsyncGenerator<FileRow> {
    for await (const row of rows) {
      openMax = Math.max(openMax, ++taken - answered);
      yield row;
    }
  }
  const state = await runImport({
    rows: counted(openRows(file, "csv", () => undefined, signal).rows),
    toEvent: createToEvent({ event: "purchase", eventId: ["id"], identifiers: { external_id: "customer" } }),
    async send(events) {
      await turn();
      return events.map(() => undefined);
    },
    rejects: openRejectsFile(join(directory, "large.rejects.ndjson"), 0),
    state: freshState(""),
    onAnswered: ({ rows }) => (answered = rows),
    batchRows: 500,
    concurrency: 4,
    signal,
  });
  expect(state).toMatchObject({ rows: 200_000, accepted: 200_000, rejected: 0, finished: true });
  expect(openMax).toBeLessThanOrEqual(500 * 5);
});
