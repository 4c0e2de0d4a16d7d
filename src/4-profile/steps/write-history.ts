import type { CanonicalEvent } from "../../contracts/canonical-event.ts";
import type { TenantSettings } from "../../contracts/directory.ts";
import type { JsonObject } from "../../contracts/json.ts";
import type { PipelineEvent } from "../../contracts/pipeline-event.ts";
import type { SystemEvent } from "../../contracts/system-event.ts";
import type { PositionSet } from "../../core/position-set.ts";
import { eventKey, keyToDecimal } from "../../core/event-key.ts";
import { microsToDecimal } from "../../core/money.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import { tsvText, tsvTexts, tsvTime } from "../../stores/clickhouse/tsv.ts";
import { emqScore } from "../emq.ts";

interface Deps {
  history: History;
  settingsOf(tenantId: number): TenantSettings;
}

/** What an event's `sealed` column holds: everything personal about it. */
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
    const ordered = [...batch].sort(inTableOrder);
    await history.insertLines("events", columns, ordered.map((item) => historyLine(item, settingsOf(item.event.tenantId))));
  };
}

function inTableOrder(a: PipelineEvent, b: PipelineEvent): number {
  return a.event.tenantId - b.event.tenantId || (a.identities[0] ?? 0) - (b.identities[0] ?? 0) || a.event.ts - b.event.ts || (a.key < b.key ? -1 : 1);
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

/** A row of `events` as a tab-separated line, column by column as in `columns`. */
function historyLine(item: PipelineEvent, settings: TenantSettings): string {
  const { event } = item;
  const { money } = event;
  return `${event.tenantId}\t${item.identities[0] ?? 0}\t${tsvTime(event.ts)}\t${keyToDecimal(item.key)}\t${item.partition}\t${item.position}\t`
    + `${event.sourceId}\t${tsvText(event.eventId)}\t${event.kind}\t${tsvText(event.name)}\t${tsvTime(event.receivedAt)}\t`
    + `${event.sentAt === undefined ? "\\N" : tsvTime(event.sentAt)}\t${tsvText(event.sessionId ?? "")}\t${event.late}\t${event.historical === true}\t`
    + `[${item.identities.join(",")}]\t${json(event.properties)}\t${contextAndSealed(event)}\t${money?.role ?? ""}\t`
    + `${money ? microsToDecimal(BigInt(money.micros)) : "0"}\t${tsvText(money?.currency ?? "")}\t${tsvText(money?.orderId ?? "")}\t`
    + `${emqScore(event, settings)}\t${tsvTexts(event.warnings)}\t${item.contentHash}\n`;
}

const json = (value: JsonObject | undefined): string => (value === undefined ? "{}" : tsvText(JSON.stringify(value)));

/** The columns `context`, without the address, and `sealed`. */
function contextAndSealed({ context, identifiers, traits }: CanonicalEvent): string {
  const { ip, ...open } = context ?? {};
  const sealed: SealedPart = { identifiers: identifiers.map(({ kind, value }) => ({ kind, value })), ...(traits && { traits }), ...(ip !== undefined && { ip }) };
  return `${json(context && open)}\tc${tsvText(JSON.stringify(sealed))}`;
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
