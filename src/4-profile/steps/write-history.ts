import type { EventBody, EventHead } from "../../contracts/canonical-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";
import type { PipelineEvent } from "../../contracts/pipeline-event.ts";
import type { SystemEvent } from "../../contracts/system-event.ts";
import type { PositionSet } from "../../core/position-set.ts";
import { eventKey, keyToDecimal } from "../../core/event-key.ts";
import { inSlices } from "../../core/in-slices.ts";
import { contextOf, propertiesOf } from "../../core/log-record.ts";
import { microsToDecimal } from "../../core/money.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import { createTsvWriter, tsvText, tsvTexts, tsvTime, type TsvWriter } from "../../stores/clickhouse/tsv.ts";
import { emqScore } from "../emq.ts";

interface Deps {
  history: History;
  settingsOf(tenantId: number): TenantSettings;
}

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
export function createWriteHistory({ history, settingsOf }: Deps) {
  return async function writeHistory(batch: PipelineEvent[]): Promise<void> {
    const ordered = inTableOrder(batch);
    const lines = createTsvWriter(lineBytesUsual * batch.length);
    await inSlices(ordered, (item) => writeLine(lines, item, settingsOf(item.event.tenantId)));
    await history.insertLines("events", columns, lines.bytes());
  };
}

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

/** Which positions of a log partition history has and state has not: what the owner before this one did not come to. */
export async function positionsInHistoryFrom(history: History, partition: number, inState: PositionSet): Promise<Set<number>> {
  const rows = await history.query<{ position: number }>(
    "select log_pos position from events where log_partition = {partition:UInt32} and log_pos >= {from:UInt64}",
    { partition, from: inState.lowWater },
  );
  return new Set(rows.map((row) => row.position).filter((position) => !inState.has(position)));
}

/** Takes back the row of an event that turned out not to be processable, so that its replay is no duplicate of it. */
export async function removeFromHistory(history: History, partition: number, position: number): Promise<void> {
  if (!(await positionsInHistory(history, partition, [position])).has(position)) return;
  await history.command("delete from events where log_partition = {partition:UInt32} and log_pos = {position:UInt64}", { partition, position });
}

const columns = [
  "tenant", "identity", "ts", "event_key", "log_partition", "log_pos", "source", "event_id", "kind", "name", "received_at", "sent_at",
  "session_id", "late", "historical", "identities", "properties", "context", "sealed", "money_role", "amount", "currency", "order_id",
  "emq", "warnings", "content_hash",
];

const lineBytesUsual = 1200;

/** A row of `events`, column by column as in `columns`. */
function writeLine(lines: TsvWriter, { event, body, key, partition, position, identities, contentHash }: PipelineEvent, settings: TenantSettings): void {
  const { money } = event;
  lines.raw(
    `${event.tenantId}\t${identities[0] ?? 0}\t${tsvTime(event.ts)}\t${keyToDecimal(key)}\t${partition}\t${position}\t${event.sourceId}\t`
    + `${tsvText(event.eventId)}\t${event.kind}\t${tsvText(event.name)}\t${tsvTime(event.receivedAt)}\t`
    + `${event.sentAt === undefined ? "\\N" : tsvTime(event.sentAt)}\t${tsvText(event.sessionId ?? "")}\t${event.late}\t${event.historical === true}\t`
    + `[${identities.join(",")}]\t`,
  );
  lines.json(body.bytes, body.propertiesAt, body.contextAt, "{}");
  lines.raw("\t");
  lines.json(body.bytes, body.contextAt, body.ipAt, "{}");
  lines.raw("\tc");
  writeSealed(lines, body);
  lines.raw(
    `\t${money?.role ?? ""}\t${money ? microsToDecimal(BigInt(money.micros)) : "0"}\t`
    + `${tsvText(money?.currency ?? "")}\t${tsvText(money?.orderId ?? "")}\t${emqOf(event, body, settings)}\t${tsvTexts(event.warnings)}\t${contentHash}\n`,
  );
}

/** The identifiers and traits as the record has them, and the address beside them. */
function writeSealed(lines: TsvWriter, { bytes, whatAt, propertiesAt, ipAt }: EventBody): void {
  const whatEnd = propertiesAt - 1;
  if (ipAt === bytes.length) return lines.json(bytes, whatAt, whatEnd, "{}");
  lines.json(bytes, whatAt, whatEnd - 1, "{");
  lines.raw(`,"ip":`);
  lines.json(bytes, ipAt, bytes.length, "null");
  lines.raw("}");
}

/** The body is looked into for the score and let go: kept as objects it would outlive the batch's young days. */
function emqOf(event: EventHead, body: EventBody, settings: TenantSettings): number {
  return emqScore({ ...event, context: contextOf(body) ?? {}, readProperties: () => propertiesOf(body) }, settings);
}

/** Log partition under which system events stand; real ones start at 1. */
const systemPartition = 0;

/** Writes system events, each once: their position is the number of the outbox message. */
export function createWriteSystemEvents(history: History) {
  return async function writeSystemEvents(events: SystemEvent[]): Promise<void> {
    if (events.length === 0) return;
    const there = await positionsInHistory(history, systemPartition, events.map((event) => event.seq));
    await history.insert("events", events.filter((event) => !there.has(event.seq)).map(systemRow));
  };
}

const systemRow = (event: SystemEvent): object => ({
  tenant: event.tenantId,
  identity: event.identity,
  ts: event.ts,
  event_key: keyToDecimal(eventKey(event.tenantId, systemPartition, event.eventId)),
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
