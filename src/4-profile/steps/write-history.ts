import { hash } from "node:crypto";
import type { EventBody } from "../../contracts/canonical-event.ts";
import type { PipelineEvent } from "../../contracts/pipeline-event.ts";
import type { SystemEvent } from "../../contracts/system-event.ts";
import type { PositionSet } from "../../core/position-set.ts";
import { eventKey, keyToDecimal } from "../../core/event-key.ts";
import type { ColumnType, History } from "../../stores/clickhouse/history.ts";
import type { RowWriter } from "../../stores/clickhouse/row-binary.ts";

/** What is read of an event's `sealed` column: everything personal about it. */
export interface SealedPart {
  identifiers: { kind: string; value: string }[];
  traits?: Record<string, unknown>;
  ip?: unknown;
}

/**
 * Writes events to history, one row each, in the order in which the table keeps them: the engine then need not move them.
 * Rows that history already has must be left out by the caller.
 */
export function createWriteHistory(history: History) {
  return async function writeHistory(batch: PipelineEvent[]): Promise<void> {
    const [first] = batch;
    if (first) await history.insertBinary("events", columns, inTableOrder(batch), writeRow, { of: originOf(first.partition), token: () => tokenOf(batch) });
  };
}

/** Inserts are made in the name of the log partition: whoever takes it over has to know that none of them is still under way. */
const originOf = (partition: number): string => `partition-${partition}`;
const tokenOf = (batch: PipelineEvent[]): string => hash("sha256", batch.map(({ partition, position }) => `${partition}:${position}`).join());

/** By tenant and identity; within those the batch is in the order of time, but for imports, which the engine then sorts. */
function inTableOrder(batch: PipelineEvent[]): PipelineEvent[] {
  const places = new Float64Array(batch.length);
  const shift = 2 ** Math.ceil(Math.log2(batch.length + 1));
  const ordered: PipelineEvent[] = [];
  for (const tenant of [...new Set(batch.map((item) => item.event.tenantId))].sort((a, b) => a - b)) {
    let size = 0;
    batch.forEach((item, at) => {
      if (item.event.tenantId === tenant) places[size++] = (item.identities[0] ?? 0) * shift + at;
    });
    for (const place of places.subarray(0, size).sort()) ordered.push(batch[place % shift] as PipelineEvent);
  }
  return ordered;
}

/** Which of these positions of a log partition history has. */
export async function positionsInHistory(history: History, partition: number, positions: number[]): Promise<Set<number>> {
  const rows = await history.query<{ position: number }>(
    "select log_pos position from events where log_partition = {partition:UInt32} and log_pos in {positions:Array(UInt64)}",
    { partition, positions },
  );
  return new Set(rows.map((row) => row.position));
}

/** Which positions of a log partition history has and state has not: what the owner before this one did not come to, and will not come to any more. */
export async function positionsInHistoryFrom(history: History, partition: number, inState: PositionSet): Promise<Set<number>> {
  await history.settle(originOf(partition));
  const rows = await history.query<{ position: number }>(
    "select log_pos position from events where log_partition = {partition:UInt32} and log_pos >= {from:UInt64}",
    { partition, from: inState.lowWater },
  );
  return new Set(rows.map((row) => row.position).filter((position) => !inState.has(position)));
}

/** Takes back the row of an event that turned out not to be processable, so that its replay is no duplicate of it. */
export async function removeFromHistory(history: History, partition: number, position: number): Promise<void> {
  if (!(await positionsInHistory(history, partition, [position])).has(position)) return;
  await history.deleteRows("events", "log_partition = {partition:UInt32} and log_pos = {position:UInt64}", { partition, position });
}

/** Columns of `events` in the order in which `writeRow` writes them. */
export const columns: ColumnType[] = [
  ["tenant", "UInt32"],
  ["identity", "UInt64"],
  ["ts", "DateTime64(3, 'UTC')"],
  ["event_key", "UInt128"],
  ["log_partition", "UInt32"],
  ["log_pos", "UInt64"],
  ["source", "UInt32"],
  ["event_id", "String"],
  ["kind", "LowCardinality(String)"],
  ["name", "LowCardinality(String)"],
  ["received_at", "DateTime64(3, 'UTC')"],
  ["sent_at", "Nullable(DateTime64(3, 'UTC'))"],
  ["session_id", "String"],
  ["late", "Bool"],
  ["historical", "Bool"],
  ["identities", "Array(UInt64)"],
  ["properties", "String"],
  ["context", "String"],
  ["sealed", "String"],
  ["money_role", "LowCardinality(String)"],
  ["amount", "Decimal(38, 6)"],
  ["currency", "LowCardinality(String)"],
  ["order_id", "String"],
  ["emq", "Float32"],
  ["warnings", "Array(LowCardinality(String))"],
  ["content_hash", "UInt64"],
];

/** A row of `events`, column by column as in `columns`. */
export function writeRow(row: RowWriter, { event, body, key, partition, position, identities, contentHash }: PipelineEvent): void {
  const { money } = event;
  row.uint32(event.tenantId);
  row.int64(identities[0] ?? 0);
  row.int64(event.ts);
  row.key(key);
  row.uint32(partition);
  row.int64(position);
  row.uint32(event.sourceId);
  row.text(event.eventId);
  row.text(event.kind);
  row.text(event.name);
  row.int64(event.receivedAt);
  row.uint8(event.sentAt === undefined);
  if (event.sentAt !== undefined) row.int64(event.sentAt);
  row.text(event.sessionId ?? "");
  row.uint8(event.late);
  row.uint8(event.historical === true);
  row.size(identities.length);
  for (const identity of identities) row.int64(identity);
  writeJson(row, body.bytes, body.propertiesAt, body.contextAt);
  writeJson(row, body.bytes, body.contextAt, body.ipAt);
  writeSealed(row, body);
  row.text(money?.role ?? "");
  row.int128(money?.micros ?? "0");
  row.text(money?.currency ?? "");
  row.text(money?.orderId ?? "");
  row.float32(event.emq ?? 0);
  row.size(event.warnings.length);
  for (const warning of event.warnings) row.text(warning);
  row.int64(contentHash);
}

function writeJson(row: RowWriter, bytes: Uint8Array, from: number, to: number): void {
  if (from === to) return row.text("{}");
  row.size(to - from);
  row.raw(bytes, from, to);
}

const clear = "c";
const ipName = ',"ip":';

/** The identifiers and traits as the record has them, and the address beside them. */
function writeSealed(row: RowWriter, { bytes, whatAt, propertiesAt, ipAt }: EventBody): void {
  const whatEnd = propertiesAt - 1;
  const withIp = ipAt < bytes.length;
  const what = whatEnd - whatAt;
  row.size(clear.length + what + (withIp ? ipName.length + bytes.length - ipAt : 0));
  row.ascii(clear);
  if (!withIp) return row.raw(bytes, whatAt, whatEnd);
  row.raw(bytes, whatAt, whatEnd - 1);
  row.ascii(ipName);
  row.raw(bytes, ipAt, bytes.length);
  row.ascii("}");
}

/** Log partition under which system events stand; real ones start at 1. */
const systemPartition = 0;

/** Writes system events, each once: a message of the outbox that is delivered again has the same event id. */
export function createWriteSystemEvents(history: History) {
  return async function writeSystemEvents(events: SystemEvent[]): Promise<void> {
    if (events.length === 0) return;
    const there = await keysInHistory(history, events.map(systemKey));
    await history.insert("events", events.filter((event) => !there.has(keyToDecimal(systemKey(event)))).map(systemRow));
  };
}

const systemKey = (event: SystemEvent): string => eventKey(event.tenantId, systemPartition, event.eventId);

/** Which of these keys history has, in decimal. */
async function keysInHistory(history: History, keys: string[]): Promise<Set<string>> {
  const rows = await history.query<{ key: string }>("select toString(event_key) key from events where event_key in {keys:Array(UInt128)}", {
    keys: keys.map((key) => BigInt(`0x${key}`)),
  });
  return new Set(rows.map((row) => row.key));
}

const systemRow = (event: SystemEvent): object => ({
  tenant: event.tenantId,
  identity: event.identity,
  ts: event.ts,
  event_key: keyToDecimal(systemKey(event)),
  log_partition: systemPartition,
  log_pos: event.seq,
  source: 0,
  event_id: event.eventId,
  kind: "system",
  name: event.name,
  received_at: event.ts,
  properties: JSON.stringify(event.properties),
  context: "{}",
  sealed: 'c{"identifiers":[]}',
});
