import type { History } from "../../stores/clickhouse/history.ts";

export interface HeldRow {
  key: string;
  version: number;
  state: "quarantined" | "rejected";
  reason: string;
  detail: string;
  source: number;
  eventId: string;
  name: string;
  ts: number;
  receivedAt: number;
  expiresAt: number;
  payload: string;
}

export interface HeldFilter {
  tenantId: number;
  state?: string;
  sourceId?: number;
  eventIds?: string[];
  /** Bounds on the event's own time, milliseconds: from included, to excluded. */
  from?: number;
  to?: number;
  /** The (receivedAt, key) after which to go on; newest first. */
  after?: { receivedAt: number; key: string };
  limit: number;
}

/** Held events that were not replayed, newest arrival first. */
export function listHeld(history: History, filter: HeldFilter): Promise<HeldRow[]> {
  const clauses = ["tenant = {tenantId:UInt32}", "state != 'replayed'", "expires_at > now()"];
  if (filter.state !== undefined) clauses.push("state = {state:String}");
  if (filter.sourceId !== undefined) clauses.push("source = {sourceId:UInt32}");
  if (filter.eventIds !== undefined) clauses.push("event_id in {eventIds:Array(String)}");
  if (filter.from !== undefined) clauses.push("ts >= fromUnixTimestamp64Milli({from:Int64})");
  if (filter.to !== undefined) clauses.push("ts < fromUnixTimestamp64Milli({to:Int64})");
  if (filter.after !== undefined) clauses.push("(received_at, event_key) < (fromUnixTimestamp64Milli({afterAt:Int64}), {afterKey:UInt128})");
  const { after, ...params } = filter;
  return history.query<HeldRow>(
    `select toString(event_key) key, version, state, reason, detail, source, event_id eventId, name,
            toUnixTimestamp64Milli(ts) ts, toUnixTimestamp64Milli(received_at) receivedAt,
            toUnixTimestamp(expires_at) * 1000 expiresAt, payload
       from events_held final where ${clauses.join(" and ")}
      order by received_at desc, event_key desc limit {limit:UInt32}`,
    after ? { ...params, afterAt: after.receivedAt, afterKey: BigInt(after.key) } : params,
  );
}
