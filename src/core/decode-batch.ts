import { hash } from "node:crypto";
import type { LogRecord } from "../contracts/event-log.ts";
import type { PipelineEvent } from "../contracts/pipeline-event.ts";
import { inSlices } from "./in-slices.ts";
import { contentOf, decodeHead, decodeKey, decodeRecord } from "./log-record.ts";

/** Reads log records into events. One that cannot be read is answered in `broken` with what its header still tells. */
export async function decodeBatch(partition: number, records: LogRecord[]): Promise<{ items: PipelineEvent[]; broken: { item: PipelineEvent; error: unknown }[] }> {
  const items: PipelineEvent[] = [];
  const broken: { item: PipelineEvent; error: unknown }[] = [];
  await inSlices(records, (record) => {
    try {
      const { event, body } = decodeRecord(record.bytes);
      const key = decodeKey(record.bytes);
      items.push({ partition, position: record.position, key, contentHash: shortHash(contentOf(body)), event, body, identities: [] });
    } catch (error) {
      broken.push({ item: unreadable(partition, record), error });
    }
  });
  return { items, broken };
}

/** FNV-1a (32 bits) and 20 bits of the length, together a safe integer: it tells mistakes, not attacks. */
function shortHash(content: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < content.length; at++) sum = Math.imul(sum ^ (content[at] as number), 0x01000193);
  return (sum >>> 0) * 2 ** 20 + (content.length & 0xfffff);
}

function unreadable(partition: number, record: LogRecord): PipelineEvent {
  const head = headOf(record);
  const bytes = Buffer.from(JSON.stringify({ record: Buffer.from(record.bytes).toString("base64").slice(0, 4000) }));
  return {
    partition,
    position: record.position,
    key: head.key,
    contentHash: 0,
    identities: [],
    body: { bytes, whatAt: 0, propertiesAt: 0, contextAt: bytes.length, ipAt: bytes.length },
    event: {
      tenantId: head.tenantId, sourceId: 0, eventId: "", kind: "track", name: "", ts: head.ts, receivedAt: head.receivedAt,
      late: false, identifiers: [], warnings: [],
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
