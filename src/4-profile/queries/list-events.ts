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

/** Events, newest first by (ts, event key). */
export async function listEvents(history: History, filter: EventFilter): Promise<EventRow[]> {
  const clauses = ["tenant = {tenantId:UInt32}"];
  if (filter.identities) clauses.push("identity in {identities:Array(UInt64)}");
  if (!filter.withSystem) clauses.push("kind != 'system'");
  if (filter.name !== undefined) clauses.push("name = {name:String}");
  if (filter.source !== undefined) clauses.push("JSONExtractString(context, 'source') = {source:String}");
  if (filter.sourceId !== undefined) clauses.push("source = {sourceId:UInt32}");
  if (filter.from !== undefined) clauses.push("ts >= fromUnixTimestamp64Milli({from:Int64})");
  if (filter.to !== undefined) clauses.push("ts < fromUnixTimestamp64Milli({to:Int64})");
  if (filter.after) clauses.push("(ts, event_key) < (fromUnixTimestamp64Milli({afterTs:Int64}), {afterKey:UInt128})");
  const { after, withSystem: _, ...params } = filter;
  const rows = await history.query<EventRow>(
    `select ${columns} from events where ${clauses.join(" and ")} order by ts desc, event_key desc limit {limit:UInt32}`,
    after ? { ...params, afterTs: after.ts, afterKey: BigInt(`0x${after.key}`) } : params,
  );
  return rows.map((row) => ({ ...row, key: keyFromDecimal(row.key) }));
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
