import type { IdentityId } from "../../contracts/identity.ts";
import { keyFromDecimal } from "../../core/event-key.ts";
import type { History } from "../../stores/clickhouse/history.ts";

export interface EventRow {
  identity: IdentityId;
  ts: number;
  /** Event key in hexadecimal. */
  key: string;
  source: number;
  eventId: string;
  kind: string;
  name: string;
  receivedAt: number;
  sessionId: string;
  late: boolean;
  historical: boolean;
  properties: string;
  context: string;
  sealed: string;
  amount: string;
  currency: string;
  role: string;
  emq: number;
  warnings: string[];
  partition: number;
  position: number;
}

const columns = `identity, toUnixTimestamp64Milli(ts) ts, toString(event_key) key, source, event_id eventId, kind, name,
  toUnixTimestamp64Milli(received_at) receivedAt, session_id sessionId, late, historical, properties, context, sealed,
  toString(amount) amount, currency, money_role role, emq, warnings, log_partition partition, log_pos position`;

export interface EventFilter {
  tenantId: number;
  /** Anchors of the profile that is asked for. */
  identities?: IdentityId[];
  name?: string;
  /** `context.source` of the event. */
  source?: string;
  sourceId?: number;
  /** Bounds on event time in milliseconds: from included, to excluded. */
  from?: number;
  to?: number;
  /** Show what Tributary did as well. */
  withSystem?: boolean;
  after?: { ts: number; key: string };
  limit: number;
}

/** Stored bytes of the events of one page. An event may be large, and a page is in memory several times over. */
const pageBytesMax = 4_000_000;
/** Up to here the bytes are counted when the rows have come: the engine would take longer to count them than to send them. */
const plainRowsMax = 101;

export interface EventPage {
  rows: EventRow[];
  /** Whether older ones follow. */
  more: boolean;
}

type Row = EventRow & { available?: number };
const mayLag = { mayLag: true };

/**
 * Events, newest first by (ts, event key): as many as the limit and `pageBytesMax` allow, and one at least where there is one.
 * Values stand in the text, as digits only: the embedded engine runs statements with bound values one after the other, all rooms' together.
 * Very many members are bound all the same: a text has its limit.
 */
export async function listEvents(history: History, filter: EventFilter): Promise<EventPage> {
  const { identities } = filter;
  const params = identities && isMany(identities) ? { identities } : undefined;
  const quick = isOfProjection(filter) ? await history.query<Row>(selectPage(inProjection(filter), filter.limit), undefined, mayLag) : undefined;
  // The projection does not know who made an event; what Tributary did has names that a customer seldom uses.
  const all = quick && !quick.some((row) => row.kind === "system") ? quick : await history.query<Row>(selectPage(clausesOf(filter), filter.limit), params, mayLag);
  const rows = withinBytes(all.slice(0, filter.limit));
  return { rows: rows.map(({ available: _, ...row }) => ({ ...row, key: keyFromDecimal(row.key) })), more: (all[0]?.available ?? all.length) > rows.length };
}

const order = "order by ts desc, event_key desc";

function selectPage(clauses: string[], limit: number): string {
  const wanted = limit + 1;
  const found = `from events where ${clauses.join(" and ")} ${order} limit ${digits(wanted)}`;
  if (wanted <= plainRowsMax) return `select ${columns} ${found}`;
  return `select ${columns}, available from (
    select *, sum(length(properties) + length(context) + length(sealed)) over (${order} rows between unbounded preceding and 1 preceding) before,
           count() over () available
      from (select * ${found})) where before < ${pageBytesMax} ${order}`;
}

/** True when everything that is asked for is in the projection `by_name`. */
const isOfProjection = ({ name, identities, source, sourceId }: EventFilter): boolean =>
  name !== undefined && identities === undefined && source === undefined && sourceId === undefined;

/** The places of the page's rows by the projection, which has no others to read: the engine does not do so by itself (measured: a third of the time). */
function inProjection(filter: EventFilter): string[] {
  const places = `select identity, ts, event_key from events where ${clausesOf({ ...filter, withSystem: true }).join(" and ")} ${order} limit ${digits(filter.limit + 1)}`;
  return [`tenant = ${digits(filter.tenantId)}`, `(identity, ts, event_key) in (${places})`];
}

const isMany = (identities: IdentityId[]): boolean => identities.length > 1000;

function clausesOf(filter: EventFilter): string[] {
  const clauses = [`tenant = ${digits(filter.tenantId)}`];
  if (filter.identities) clauses.push(`identity in ${isMany(filter.identities) ? "{identities:Array(UInt64)}" : `(${filter.identities.map(digits).join(",")})`}`);
  if (!filter.withSystem) clauses.push("kind != 'system'");
  if (filter.name !== undefined) clauses.push(`name = ${quoted(filter.name)}`);
  if (filter.source !== undefined) clauses.push(`JSONExtractString(context, 'source') = ${quoted(filter.source)}`);
  if (filter.sourceId !== undefined) clauses.push(`source = ${digits(filter.sourceId)}`);
  if (filter.from !== undefined) clauses.push(`ts >= ${time(filter.from)}`);
  if (filter.to !== undefined) clauses.push(`ts < ${time(filter.to)}`);
  // The first of the two only says it so that an index can tell.
  if (filter.after) clauses.push(`ts <= ${time(filter.after.ts)}`, `(ts, event_key) < (${time(filter.after.ts)}, toUInt128('${BigInt(`0x${filter.after.key}`)}'))`);
  return clauses;
}

/** A whole number in SQL text. Throws on anything else. */
function digits(value: number): string {
  if (!Number.isSafeInteger(value)) throw new Error(`${String(value)} is no whole number`);
  return String(value);
}

/** A string in SQL text, of which the text holds nothing but hexadecimal digits. */
const quoted = (value: string): string => `unhex('${Buffer.from(value).toString("hex")}')`;
const time = (ms: number): string => `fromUnixTimestamp64Milli(toInt64(${digits(ms)}))`;

function withinBytes<Row extends EventRow>(rows: Row[]): Row[] {
  let before = 0;
  const end = rows.findIndex((row) => {
    const isBeyond = before >= pageBytesMax;
    before += Buffer.byteLength(row.properties) + Buffer.byteLength(row.context) + Buffer.byteLength(row.sealed);
    return isBeyond;
  });
  return end < 0 ? rows : rows.slice(0, end);
}

/** The history rows of these event keys. */
export async function findEvents(history: History, keys: string[]): Promise<EventRow[]> {
  const rows = await history.query<EventRow>(`select ${columns} from events where event_key in {keys:Array(UInt128)}`, {
    keys: keys.map((key) => BigInt(`0x${key}`)),
  });
  return rows.map((row) => ({ ...row, key: keyFromDecimal(row.key) }));
}

export interface HeldState {
  key: string;
  state: "quarantined" | "rejected" | "replayed";
  reason: string;
  detail: string;
  source: number;
  ts: number;
  receivedAt: number;
  name: string;
}

/** What became of held events of these keys. */
export async function findHeld(history: History, tenantId: number, keys: string[]): Promise<HeldState[]> {
  const rows = await history.query<HeldState>(
    `select toString(event_key) key, state, reason, detail, source, toUnixTimestamp64Milli(ts) ts,
            toUnixTimestamp64Milli(received_at) receivedAt, name
       from events_held final where tenant = {tenantId:UInt32} and event_key in {keys:Array(UInt128)}`,
    { tenantId, keys: keys.map((key) => BigInt(`0x${key}`)) },
  );
  return rows.map((row) => ({ ...row, key: keyFromDecimal(row.key) }));
}
