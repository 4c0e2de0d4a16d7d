import { setTimeout as delay } from "node:timers/promises";
import pRetry from "p-retry";
import type { FieldError } from "../../../contracts/field-error.ts";
import { CommandError } from "../command-error.ts";
import { type Answer, type Connection, explainRefusal, request, Unreachable } from "../server-connection.ts";
import type { EventBody } from "./map-row.ts";

/** What became of each event of a batch, in order: undefined when accepted, else why not. */
export type BatchAnswer = (FieldError[] | undefined)[];
export type SendBatch = (events: EventBody[], signal: AbortSignal) => Promise<BatchAnswer>;

export interface SendSettings {
  historical: boolean;
  /** A batch that has been refused or unanswered for this long ends the import. */
  giveUpAfterMs: number;
  /** Told why and for how long a batch waits. */
  onWait(message: string): void;
  /** First pause after a failure; it doubles up to 30 s. */
  backOffMs?: number;
}

interface RowError {
  code: string;
  message: string;
  details?: FieldError[];
}

interface BatchBody {
  data?: { accepted?: number; rejected?: number; results?: { index: number; status: string; error?: RowError }[] };
}

/** The server cannot take the batch at present. */
class Busy extends CommandError {
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Sends batches to `POST /api/cdp/events/batch`. Waits out 429, 5xx and a server that does not answer, halves a batch
 * that is too large, and throws a `CommandError` for what waiting cannot mend.
 */
export function createSendBatch(connection: Connection, settings: SendSettings): SendBatch {
  return async function sendBatch(events, signal): Promise<BatchAnswer> {
    const answer = await postPatiently(connection, settings, events, signal);
    if (answer.status !== 413) return readResults(connection, answer, events.length);
    if (events.length === 1) return [[{ field: "", reason: "body_too_large", message: "the event is larger than the server takes" }]];
    const half = Math.ceil(events.length / 2);
    return [...(await sendBatch(events.slice(0, half), signal)), ...(await sendBatch(events.slice(half), signal))];
  };
}

async function postPatiently(connection: Connection, settings: SendSettings, events: EventBody[], signal: AbortSignal): Promise<Answer> {
  const body = JSON.stringify({ ...(settings.historical ? { historical: true } : {}), events });
  const post = async (): Promise<Answer> => {
    const answer = await request(connection, "POST", "/api/cdp/events/batch", { body, signal });
    if (answer.status === 429 || answer.status >= 500) throw new Busy(explainRefusal(connection, answer), answer.retryAfterMs ?? 0);
    return answer;
  };
  const backOffMs = settings.backOffMs ?? 500;
  try {
    return await pRetry(post, {
      signal,
      retries: Number.POSITIVE_INFINITY,
      minTimeout: backOffMs,
      maxTimeout: 30_000,
      maxRetryTime: settings.giveUpAfterMs,
      randomize: true,
      shouldRetry: ({ error }) => error instanceof Busy || error instanceof Unreachable,
      onFailedAttempt: async ({ error, retryDelay }) => {
        const asked = error instanceof Busy ? error.retryAfterMs : 0;
        settings.onWait(`${error.message} Trying again in ${((asked + retryDelay) / 1000).toFixed(1)} s.`);
        await delay(asked, undefined, { signal });
      },
    });
  } catch (error) {
    if (signal.aborted || !(error instanceof Busy || error instanceof Unreachable)) throw error;
    throw new CommandError(`Gave up after ${Math.round(settings.giveUpAfterMs / 1000)} s. ${error.message}`, error);
  }
}

/** A 422 that lists its rows is an answer like a 202: all of them were rejected. */
function readResults(connection: Connection, answer: Answer, sent: number): BatchAnswer {
  const data = (answer.body as BatchBody | undefined)?.data;
  const success = answer.status >= 200 && answer.status <= 299;
  if (!success && !(answer.status === 422 && data)) throw new CommandError(explainRefusal(connection, answer));
  const { accepted = 0, rejected = 0, results = [] } = data ?? {};
  const answers: BatchAnswer = new Array<undefined>(sent).fill(undefined);
  for (const { index, status, error } of results) if (status === "rejected") answers[index] = reasonsOf(error);
  const refused = answers.filter((errors) => errors !== undefined).length;
  if (answers.length === sent && refused === rejected && accepted === sent - rejected) return answers;
  throw new CommandError(`${connection.url} answered for ${accepted + rejected} rows when ${sent} were sent.`);
}

function reasonsOf(error: RowError | undefined): FieldError[] {
  if (error?.details && error.details.length > 0) return error.details;
  return [{ field: "", reason: error?.code ?? "rejected", message: error?.message ?? "the server gave no reason" }];
}
