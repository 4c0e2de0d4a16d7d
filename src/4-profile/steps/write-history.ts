import type { TenantSettings } from "../../contracts/directory.ts";
import type { PipelineEvent } from "../../contracts/pipeline-event.ts";
import type { SystemEvent } from "../../contracts/system-event.ts";
import { eventKey, keyToDecimal } from "../../core/event-key.ts";
import { microsToDecimal } from "../../core/money.ts";
import type { History } from "../../stores/clickhouse/history.ts";
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

/** Writes events to history, one row each. Rows that history already has must be left out by the caller. */
export function createWriteHistory({ history, settingsOf }: Deps) {
  return async function writeHistory(batch: PipelineEvent[]): Promise<void> {
    await history.insert("events", batch.map((item) => historyRow(item, settingsOf(item.event.tenantId))));
  };
}

/** Which of these positions of a log partition history has. */
export async function positionsInHistory(history: History, partition: number, positions: number[]): Promise<Set<number>> {
  const rows = await history.query<{ position: number }>(
    "select log_pos position from events where log_partition = {partition:UInt32} and log_pos in {positions:Array(UInt64)}",
    { partition, positions },
  );
  return new Set(rows.map((row) => row.position));
}

/** Takes back the row of an event that turned out not to be processable, so that its replay is no duplicate of it. */
export async function removeFromHistory(history: History, partition: number, position: number): Promise<void> {
  if (!(await positionsInHistory(history, partition, [position])).has(position)) return;
  await history.command("delete from events where log_partition = {partition:UInt32} and log_pos = {position:UInt64}", { partition, position });
}

function historyRow(item: PipelineEvent, settings: TenantSettings): object {
  const { event } = item;
  const { ip, ...context } = event.context ?? {};
  const sealed: SealedPart = {
    identifiers: event.identifiers.map(({ kind, value }) => ({ kind, value })),
    ...(event.traits && { traits: event.traits }),
    ...(ip !== undefined && { ip }),
  };
  return {
    tenant: event.tenantId,
    identity: item.identities[0] ?? 0,
    ts: event.ts,
    event_key: keyToDecimal(item.key),
    log_partition: item.partition,
    log_pos: item.position,
    source: event.sourceId,
    event_id: event.eventId,
    kind: event.kind,
    name: event.name,
    received_at: event.receivedAt,
    sent_at: event.sentAt ?? null,
    session_id: event.sessionId ?? "",
    late: event.late,
    historical: event.historical === true,
    identities: item.identities,
    properties: JSON.stringify(event.properties ?? {}),
    context: JSON.stringify(context),
    sealed: `c${JSON.stringify(sealed)}`,
    money_role: event.money?.role ?? "",
    amount: event.money ? microsToDecimal(BigInt(event.money.micros)) : "0",
    currency: event.money?.currency ?? "",
    order_id: event.money?.orderId ?? "",
    emq: emqScore(event, settings),
    warnings: event.warnings,
    content_hash: item.contentHash,
  };
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
