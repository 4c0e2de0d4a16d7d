import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { Directory, Principal, Source, Tenant } from "../contracts/directory.ts";
import type { Meters } from "../contracts/meters.ts";
import type { Surface } from "../contracts/surface.ts";
import type { Clock } from "../core/clock.ts";
import { ApiError } from "../core/errors.ts";
import { addRecord, type Records } from "./accept-events.ts";
import { isPastWindow, type LatenessRule } from "./steps/judge-lateness.ts";
import type { createTranslateRow, Delivery, RowResult } from "./translate-row.ts";

/** The rows of one request and how it sent them. */
export interface Request {
  principal: Principal | undefined;
  /** Whose built-in source an API key writes to. */
  door: "stream" | "api";
  /** Emptied once they are read. */
  rows: unknown[];
  surfaceOf(row: unknown): Surface;
  /** Bytes of the whole body, Infinity when unknown. */
  bodyBytes: number;
  historical: boolean;
  sentAt?: number | undefined;
  /** Id of row `index` by the Idempotency-Key header, for a row without one. */
  keyOf?: ((index: number) => string) | undefined;
}

interface Deps {
  directory: Directory;
  clock: Clock;
  meters: Meters;
  lateness: LatenessRule;
  eventBytesMax: number;
  translateRow: ReturnType<typeof createTranslateRow>;
  shards: readonly number[];
  appendRecords(records: Records): Promise<void>;
}

/** What an accepted event is told of itself. */
export type Receipt = Pick<CanonicalEvent, "eventId" | "late" | "held" | "warnings">;
export type Outcome = { status: "accepted"; event: Receipt } | Extract<RowResult, { status: "rejected" }>;

/** A request's rows on their way into the log, and what is told once they are there. */
interface Taken {
  records: Map<number, Uint8Array[]>;
  accepted: number;
  outcomes: Outcome[];
  /** How many events were past the window, and how many of them are held back. */
  pastWindow: number;
  held: number;
}

/**
 * Takes the rows of a request: translates each, appends the good ones at once, and answers per row, in order, once they
 * are durable. Fails only with what concerns the whole request.
 *
 * While it waits for the disk it holds records and receipts only. Rows and events of all requests that wait at a time would
 * else outlive the young generation of the heap, and be copied by every collection.
 */
export function createTakeRows(deps: Deps) {
  return async function takeRows(request: Request): Promise<Outcome[]> {
    const taken = translateRows(deps, request);
    request.rows = [];
    await deps.appendRecords(taken.records);
    count(deps, taken);
    return taken.outcomes;
  };
}

function translateRows(deps: Deps, request: Request): Taken {
  const { rows, surfaceOf, keyOf } = request;
  const { lateness, translateRow } = deps;
  const delivery = openDelivery(deps, request);
  const taken: Taken = { records: new Map(), accepted: 0, outcomes: [], pastWindow: 0, held: 0 };
  for (const [index, row] of rows.entries()) {
    const result = translateRow(surfaceOf(row), row, delivery, () => keyOf?.(index));
    taken.outcomes.push(result.status === "accepted" ? { status: "accepted", event: receiptOf(result.event) } : result);
    if (result.status === "rejected") continue;
    const { event } = result;
    addRecord(taken.records, event, deps.shards);
    taken.accepted++;
    if (!event.historical && isPastWindow(event.ts, event.receivedAt, lateness)) taken.pastWindow++;
    if (event.held) taken.held++;
  }
  return taken;
}

const receiptOf = ({ eventId, late, held, warnings }: CanonicalEvent): Receipt => (held ? { eventId, late, held, warnings } : { eventId, late, warnings });

function openDelivery({ directory, clock, eventBytesMax }: Deps, { principal, door, historical, sentAt, bodyBytes }: Request): Delivery {
  if (!directory.ready()) throw new ApiError("starting", "the server is starting", { retryAfterS: 1 });
  if (!principal) throw new ApiError("unauthorized", "an API key or write key is required");
  if (historical && principal.kind !== "api-key") throw new ApiError("forbidden", "historical events need an API key");
  const rowBytesMax = bodyBytes > eventBytesMax ? eventBytesMax : undefined;
  return { ...findWriter(directory, principal, historical ? "import" : door), receivedAt: clock.now(), sentAt, historical, rowBytesMax };
}

/** A write key writes to its own source on every route, an API key to a built-in one. */
function findWriter(directory: Directory, principal: Principal, builtIn: "stream" | "api" | "import"): { tenant: Tenant; source: Source } {
  const { tenantId, sourceId } = principal;
  const tenant = directory.tenant(tenantId);
  const source = sourceId === undefined ? directory.builtInSource(tenantId, builtIn) : directory.source(tenantId, sourceId);
  if (!tenant || !source) throw new ApiError("starting", "the source of this key is not known yet", { retryAfterS: 1 });
  return { tenant, source };
}

function count({ meters }: Deps, { accepted, outcomes, pastWindow, held }: Taken): void {
  const refused = outcomes.length - accepted;
  if (accepted) meters.add("cdp_events_accepted", accepted);
  if (refused) meters.add("cdp_events_rejected", refused);
  if (pastWindow) meters.add("cdp_events_late", pastWindow);
  if (held) meters.add("cdp_events_dropped", held);
}
