import type { JsonValue } from "../../../contracts/json.ts";
import type { FileRow } from "./file-row.ts";
import type { ImportState } from "./import-state.ts";
import type { EventBody, MappedRow } from "./map-row.ts";
import { type Reject, type RejectsFile, toReject } from "./rejects-file.ts";
import type { BatchAnswer, SendBatch } from "./send-batch.ts";

export interface ImportJob {
  rows: AsyncIterable<FileRow>;
  /** The row's event with its id. Called once for every row from the first on, because ids count equal rows. */
  toEvent(row: Extract<FileRow, { row: unknown }>["row"]): MappedRow;
  send: SendBatch;
  rejects: RejectsFile;
  /** Where to go on; rows below `state.rows` are read and not sent. */
  state: ImportState;
  /** Called after each batch that was answered, in the order of the file. */
  onAnswered(state: ImportState, rowsRead: number): void;
  batchRows: number;
  /** Batches that may be sent or waiting for an earlier one's answer. */
  concurrency: number;
  signal: AbortSignal;
}

interface BatchRow {
  line: number;
  raw: JsonValue;
  mapped: MappedRow;
}

interface AnsweredBatch {
  rows: number;
  rejects: Reject[];
}

/**
 * Sends every row of the file once. At most `concurrency` batches and the one being filled are in memory; answers are
 * settled in the order of the file, so `state.rows` is always a row below which nothing is open. Answers the last state.
 * Throws what ended it early, after all answers that had come in order were settled.
 */
export async function runImport(job: ImportJob): Promise<ImportState> {
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  const open: Promise<AnsweredBatch>[] = [];
  let state = job.state;
  let rowsRead = 0;
  let batch: BatchRow[] = [];

  const settleOldest = async (): Promise<void> => {
    const answered = await open[0];
    if (!answered) return;
    job.rejects.append(answered.rejects);
    const rejected = answered.rejects.length;
    state = {
      ...state,
      rows: state.rows + answered.rows,
      accepted: state.accepted + answered.rows - rejected,
      rejected: state.rejected + rejected,
      rejectsBytes: job.rejects.bytes(),
    };
    void open.shift();
    job.onAnswered(state, rowsRead);
  };
  const sendBatch = async (): Promise<void> => {
    const answer = answerBatch(job.send, batch, signal);
    // Its failure is seen when its turn comes; until then it must not count as unhandled.
    answer.catch(() => undefined);
    open.push(answer);
    batch = [];
    if (open.length >= job.concurrency) await settleOldest();
  };

  try {
    for await (const row of job.rows) {
      signal.throwIfAborted();
      rowsRead++;
      const mapped: MappedRow = "row" in row ? job.toEvent(row.row) : { errors: [row.error] };
      if (rowsRead <= job.state.rows) continue;
      batch.push({ line: row.line, raw: "row" in row ? row.row : row.raw, mapped });
      if (batch.length === job.batchRows) await sendBatch();
    }
    if (batch.length > 0) await sendBatch();
    while (open.length > 0) await settleOldest();
    return { ...state, finished: true };
  } catch (error) {
    stop.abort(error);
    await settleWhatCame(open, settleOldest);
    throw error;
  }
}

/** Answers that arrived before the end count, up to the first that did not. */
async function settleWhatCame(open: unknown[], settleOldest: () => Promise<void>): Promise<void> {
  try {
    while (open.length > 0) await settleOldest();
  } catch {
    // The first unanswered batch: everything from here on is sent again when the import goes on.
  }
}

async function answerBatch(send: SendBatch, batch: BatchRow[], signal: AbortSignal): Promise<AnsweredBatch> {
  const events: EventBody[] = [];
  for (const { mapped } of batch) if ("event" in mapped) events.push(mapped.event);
  const answer: BatchAnswer = events.length > 0 ? await send(events, signal) : [];
  const rejects: Reject[] = [];
  let sent = 0;
  for (const { line, raw, mapped } of batch) {
    const errors = "errors" in mapped ? mapped.errors : answer[sent++];
    if (errors) rejects.push(toReject(line, raw, errors));
  }
  return { rows: batch.length, rejects };
}
