import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { Directory, Principal, Source, Tenant } from "../contracts/directory.ts";
import type { Meters } from "../contracts/meters.ts";
import type { Surface } from "../contracts/surface.ts";
import type { Clock } from "../core/clock.ts";
import { ApiError } from "../core/errors.ts";
import { isPastWindow, type LatenessRule } from "./steps/judge-lateness.ts";
import { type createTranslateRow, type Delivery, type RowResult } from "./translate-row.ts";

/** The rows of one request and how it sent them. */
export interface Request {
  principal: Principal | undefined;
  /** Whose built-in source an API key writes to. */
  door: "stream" | "api";
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
  acceptEvents(events: CanonicalEvent[]): Promise<void>;
}

/**
 * Takes the rows of a request: translates each, appends the good ones at once, and answers per row, in order, once they
 * are durable. Throws only what concerns the whole request.
 */
export function createTakeRows(deps: Deps) {
  return async function takeRows(request: Request): Promise<RowResult[]> {
    const delivery = openDelivery(deps, request);
    const results = request.rows.map((row, index) => deps.translateRow(request.surfaceOf(row), row, delivery, () => request.keyOf?.(index)));
    const events = results.flatMap((result) => (result.status === "accepted" ? [result.event] : []));
    await deps.acceptEvents(events);
    count(deps, events, results.length - events.length);
    return results;
  };
}

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

function count({ meters, lateness }: Deps, events: CanonicalEvent[], refused: number): void {
  const pastWindow = events.filter((event) => !event.historical && isPastWindow(event.ts, event.receivedAt, lateness)).length;
  const held = events.filter((event) => event.held).length;
  if (events.length) meters.add("cdp_events_accepted", events.length);
  if (refused) meters.add("cdp_events_rejected", refused);
  if (pastWindow) meters.add("cdp_events_late", pastWindow);
  if (held) meters.add("cdp_events_dropped", held);
}
