import { setTimeout as pause } from "node:timers/promises";
import type { Answer } from "../server-client.ts";
import { type Draft, rowOf } from "./draft.ts";
import { ledgerKey, type Tenant } from "./open-tenant.ts";

/** What sending met with. */
export interface SendFigures {
  accepted: number;
  /** Rows sent again, or sent under an id that was there. */
  repeated: number;
  refused503: number;
  brokenConnections: number;
}

export interface Sender {
  /** Sends until everything is answered 202, several requests at once; rejects on any other answer than 202 and 503. */
  send(tenant: Tenant, drafts: readonly Draft[]): Promise<void>;
  figures: SendFigures;
  /** Ends what is being sent, with a rejection. */
  abort(): void;
}

const retryMs = 25;
const batchMax = 100;
const sendersMax = 3;

interface BatchAnswer {
  data: { rejected: number; results: { status: string }[] };
}

/** A good client: retries what is refused or gets no answer, with the same ids. */
export function createSender(): Sender {
  const figures: SendFigures = { accepted: 0, repeated: 0, refused503: 0, brokenConnections: 0 };
  const ending = new AbortController();

  async function untilTaken(attempt: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      ending.signal.throwIfAborted();
      const answer = await attempt().catch((error: unknown) => {
        // fetch says TypeError for any connection that fails.
        if (!(error instanceof TypeError)) throw error;
      });
      if (answer?.status === 202) return answer;
      if (answer && answer.status !== 503) throw new Error(`an event was answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 500)}`);
      if (answer && !answer.headers.has("retry-after")) throw new Error(`a 503 without Retry-After: ${JSON.stringify(answer.body).slice(0, 500)}`);
      figures[answer ? "refused503" : "brokenConnections"] += 1;
      await pause(retryMs);
    }
  }

  /** All of one door. */
  async function sendBatch(tenant: Tenant, drafts: readonly Draft[]): Promise<void> {
    const [first] = drafts;
    if (!first) return;
    note(tenant, drafts, "firstSentAt");
    if (first.door === "stream") {
      for (const draft of drafts) await untilTaken(() => tenant.client.post("/cdp/ingest", rowOf(draft)));
    } else {
      const client = first.door === "quarantine" ? tenant.writer : tenant.client;
      const body = { events: drafts.map(rowOf), ...(first.door === "import" && { historical: true }) };
      const { data } = (await untilTaken(() => client.post("/api/cdp/events/batch", body))).body as BatchAnswer;
      if (data.rejected > 0) throw new Error(`rows were rejected: ${JSON.stringify(data.results.find((row) => row.status === "rejected")).slice(0, 500)}`);
    }
    note(tenant, drafts, "answeredAt");
  }

  /** The first content under an id stands; what comes later is sent when that has been answered, or stands later in its batch. */
  function note(tenant: Tenant, drafts: readonly Draft[], moment: "firstSentAt" | "answeredAt"): void {
    const now = Date.now();
    for (const draft of drafts) {
      const key = ledgerKey(draft.door, draft.eventId);
      const known = tenant.ledger.get(key);
      if (moment === "firstSentAt") {
        if (known) figures.repeated += 1;
        else tenant.ledger.set(key, { draft, firstSentAt: now });
      } else if (known && known.answeredAt === undefined) {
        known.answeredAt = now;
        figures.accepted += 1;
      }
    }
  }

  return {
    figures,
    abort: () => ending.abort(new Error("sending was given up")),
    async send(tenant, drafts) {
      // By turns, so that imports come between live events.
      const queue = [...Map.groupBy(drafts, (draft) => draft.door).values()]
        .flatMap((own) => intoBatches(own).map((batch, turn) => ({ batch, turn }))).sort((x, y) => x.turn - y.turn).map(({ batch }) => batch);
      const sendOn = async (): Promise<void> => {
        for (let batch = queue.shift(); batch; batch = queue.shift()) await sendBatch(tenant, batch);
      };
      await Promise.all(Array.from({ length: sendersMax }, sendOn));
    },
  };
}

/** Unequal ones, so that batches are cut elsewhere when the same is sent again. */
function intoBatches(drafts: Draft[]): Draft[][] {
  const batches: Draft[][] = [];
  for (let at = 0, size = 1; at < drafts.length; at += size, size = Math.min(batchMax, size * 3 + 1)) batches.push(drafts.slice(at, at + size));
  return batches;
}
