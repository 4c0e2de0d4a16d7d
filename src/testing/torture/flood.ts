import { type Client, readMeter } from "../server-client.ts";
import { until } from "../server-process.ts";
import type { Arena } from "./arena.ts";

export interface Flood {
  /** The n-th event as the API takes it. */
  rowOf(n: number): object;
  countMax: number;
  /** Sends nothing more after this. */
  msMax: number;
  /** Events waiting at most, so that the log is no part of what is measured. */
  backlogMax?: number;
  /** Taken as an import: it goes behind live events. */
  historical?: boolean;
}

const batchRows = 1000;
/** It looks at the backlog each time it has sent so many. */
const lookRows = 5000;
const backlogDefault = 10_000;

/** Sends events as fast as they are processed. Resolves with how many were accepted. */
export async function flood({ server }: Arena, client: Client, wanted: Flood): Promise<number> {
  const { rowOf, countMax, msMax, backlogMax = backlogDefault, historical = false } = wanted;
  const endMs = performance.now() + msMax;
  let sent = 0;
  while (sent < countMax && performance.now() < endMs) {
    const events = Array.from({ length: Math.min(batchRows, countMax - sent) }, (_, i) => rowOf(sent + i));
    const { status, body } = await client.post<{ data?: { rejected: number } }>("/api/cdp/events/batch", { events, historical });
    if (status !== 202 || body.data?.rejected !== 0) throw new Error(`a batch was answered ${status}: ${JSON.stringify(body).slice(0, 300)}`);
    sent += events.length;
    if (sent % lookRows === 0) await until("there is room in the backlog", async () => (await readMeter(server, "cdp_backlog_events")) <= backlogMax);
  }
  return sent;
}

/** Totals are kept for a moment, so they may come late. */
export async function demandTotal(arena: Arena, client: Client, events: number): Promise<void> {
  const read = async (): Promise<number> => (await client.read<{ totalEvents: number }>("/api/cdp/stats")).totalEvents;
  const isRight = await until("the total is right", async () => (await read()) >= events, 10_000).then(() => true, () => false);
  arena.demand(isRight, `${events} events were accepted, ${await read()} are counted`);
}
