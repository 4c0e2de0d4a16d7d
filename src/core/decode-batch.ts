import { hash } from "node:crypto";
import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { LogRecord } from "../contracts/event-log.ts";
import type { PipelineEvent } from "../contracts/pipeline-event.ts";
import { decodeEvent, decodeHead } from "./log-record.ts";

/** Reads log records into events. One that cannot be read is answered in `broken` with what its header still tells. */
export function decodeBatch(partition: number, records: LogRecord[]): { items: PipelineEvent[]; broken: { item: PipelineEvent; error: unknown }[] } {
  const items: PipelineEvent[] = [];
  const broken: { item: PipelineEvent; error: unknown }[] = [];
  for (const record of records) {
    try {
      const event = decodeEvent(record.bytes);
      items.push({ partition, position: record.position, key: decodeHead(record.bytes).key, contentHash: contentHash(event), event, identities: [] });
    } catch (error) {
      broken.push({ item: unreadable(partition, record), error });
    }
  }
  return { items, broken };
}

/** 52 bits, so that it is a safe integer. Times are left out: a client that re-sends may stamp anew. */
function contentHash({ kind, name, identifiers, traits, properties }: CanonicalEvent): number {
  return parseInt(hash("sha256", JSON.stringify([kind, name, identifiers, traits, properties]), "hex").slice(0, 13), 16);
}

function unreadable(partition: number, record: LogRecord): PipelineEvent {
  const head = headOf(record);
  return {
    partition,
    position: record.position,
    key: head.key,
    contentHash: 0,
    identities: [],
    event: {
      tenantId: head.tenantId, sourceId: 0, eventId: "", kind: "track", name: "", ts: head.ts, receivedAt: head.receivedAt,
      late: false, identifiers: [], warnings: [], properties: { record: Buffer.from(record.bytes).toString("base64").slice(0, 4000) },
    },
  };
}

function headOf(record: LogRecord): { key: string; tenantId: number; ts: number; receivedAt: number } {
  try {
    return decodeHead(record.bytes);
  } catch {
    return { key: hash("sha256", record.bytes, "hex").slice(0, 32), tenantId: 0, ts: 0, receivedAt: 0 };
  }
}
