import { statSync } from "node:fs";
import { CommandError } from "../command-error.ts";
import type { Connection } from "../server-connection.ts";
import { fingerprintOf, freshState, type ImportState, readState, writeState } from "./import-state.ts";
import { type MappedRow, mapRow } from "./map-row.ts";
import { type Mapping, mappedFields } from "./mapping.ts";
import { openRows, type RowFormat } from "./read-rows.ts";
import { openRejectsFile } from "./rejects-file.ts";
import { canonicalJson, createRowIds } from "./row-id.ts";
import { runImport } from "./run-import.ts";
import { createSendBatch } from "./send-batch.ts";
import type { Progress } from "./show-progress.ts";

export interface ImportRequest {
  /** Path, or `-` for standard input. */
  file: string;
  format: RowFormat;
  mapping: Mapping;
  batchRows: number;
  concurrency: number;
  rejectsPath: string;
  /** Undefined: standard input cannot be taken up again. */
  statePath: string | undefined;
  /** Ignores a former run's state. */
  restart: boolean;
  giveUpAfterMs: number;
  /** First pause after a failed request. */
  backOffMs?: number;
  saveEveryMs?: number;
}

export interface ImportRun {
  connection: Connection;
  signal: AbortSignal;
  /** Made once the size of the file is known. */
  openProgress(bytesTotal: number | undefined): Progress;
  say(message: string): void;
}

export interface ImportResult {
  state: ImportState;
  /** Rows that an interrupted run before this one had done. */
  rowsBefore: number;
}

/** Imports a file. When it ends early the state is saved before the error is thrown. */
export async function importFile(request: ImportRequest, run: ImportRun): Promise<ImportResult> {
  const start = loadState(request, run);
  const input = openRows(request.file, request.format, (columns) => checkColumns(columns, request.mapping), run.signal);
  const rejects = openRejectsFile(request.rejectsPath, start.rejectsBytes);
  const progress = run.openProgress(input.bytesTotal);
  const send = createSendBatch(run.connection, {
    historical: request.mapping.historical ?? true,
    giveUpAfterMs: request.giveUpAfterMs,
    onWait: (message) => progress.note(message),
    ...(request.backOffMs === undefined ? {} : { backOffMs: request.backOffMs }),
  });
  let latest = start;
  let savedAt = Date.now();
  const save = (): void => {
    if (request.statePath !== undefined && latest !== start) writeState(request.statePath, latest);
  };
  try {
    latest = await runImport({
      rows: input.rows,
      toEvent: createToEvent(request.mapping),
      send,
      rejects,
      state: start,
      onAnswered(state) {
        latest = state;
        const rows = state.rows - start.rows;
        progress.update({ rows, accepted: state.accepted, rejected: state.rejected, bytesRead: input.bytesRead() });
        if (Date.now() - savedAt < (request.saveEveryMs ?? 1000)) return;
        savedAt = Date.now();
        save();
      },
      batchRows: request.batchRows,
      concurrency: request.concurrency,
      signal: run.signal,
    });
  } finally {
    save();
    rejects.close();
    progress.stop();
    if (!latest.finished && latest !== start && request.statePath !== undefined) run.say(`${latest.rows} rows are done; the same command goes on after them.`);
  }
  return { state: latest, rowsBefore: start.rows };
}

function loadState({ file, format, mapping, statePath, restart }: ImportRequest, { connection, say }: ImportRun): ImportState {
  if (statePath === undefined) return freshState("");
  const { size, mtimeMs } = statSync(file);
  const fingerprint = fingerprintOf([size, mtimeMs, format, canonicalJson(mapping as never), connection.url, connection.apiKey]);
  if (restart) return freshState(fingerprint);
  const { state, note } = readState(statePath, fingerprint);
  if (note) say(note);
  if (state.rows > 0) say(`Going on after row ${state.rows} (--restart begins anew).`);
  return state;
}

/** The row's event, with an id from the mapped fields or from the row's content. */
export function createToEvent(mapping: Mapping): (row: Parameters<typeof mapRow>[1]) => MappedRow {
  if (mapping.eventId) return (row) => mapRow(mapping, row);
  const rowId = createRowIds(mapping.source ?? "import");
  return function toEvent(row) {
    const eventId = rowId(row);
    const mapped = mapRow(mapping, row);
    return "event" in mapped ? { event: { eventId, ...mapped.event } } : mapped;
  };
}

/** A mistyped column would otherwise be empty in every row. */
export function checkColumns(columns: string[], mapping: Mapping): void {
  if (columns.length === 0) throw new CommandError("The file is empty: a header row is expected.");
  const twice = columns.filter((name, index) => columns.indexOf(name) !== index);
  if (twice.length > 0) throw new CommandError(`The header names ${[...new Set(twice)].join(", ")} more than once.`);
  const missing = mappedFields(mapping).filter((field) => !columns.includes(field));
  if (missing.length > 0) throw new CommandError(`The mapping reads ${missing.join(", ")}, but the file's columns are ${columns.join(", ")}.`);
}
