import type { FoldEvent } from "../../contracts/fold-event.ts";
import type { EventKind } from "../../contracts/canonical-event.ts";
import type { IdentityId } from "../../contracts/identity.ts";
import type { JsonObject } from "../../contracts/json.ts";
import { keyFromDecimal } from "../../core/event-key.ts";
import { microsFromDecimal } from "../../core/money.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import type { SealedPart } from "../steps/write-history.ts";

interface Row {
  identity: number;
  ts: number;
  key: string;
  partition: number;
  position: number;
  kind: EventKind;
  receivedAt: number;
  sessionId: string;
  sealed: string;
  role: "" | "purchase" | "refund";
  amount: string;
  currency: string;
  orderId: string;
}

export interface FoldRow {
  partition: number;
  position: number;
  event: FoldEvent;
}

const pageRows = 20_000;

/** The last row of a page: the next one begins after it. */
interface Place {
  identity: number;
  ts: number;
  key: bigint;
}

/** All events of these identities as folding reads them, page by page, in no order that matters. System events are left out, and of an event that a repeated insert wrote twice one row. */
export async function* readFoldRows(history: History, tenantId: number, identities: IdentityId[]): AsyncGenerator<FoldRow[]> {
  let page: Promise<Row[]> | undefined = readPage(history, tenantId, identities, { identity: 0, ts: 0, key: 0n });
  while (page) {
    const rows: Row[] = await page;
    const end = rows.at(-1);
    // The next page is read while this one is folded.
    const after = end && rows.length === pageRows ? { identity: end.identity, ts: end.ts, key: BigInt(end.key) } : undefined;
    page = after && readPage(history, tenantId, identities, after);
    // Nobody waits for it when folding throws.
    page?.catch(() => undefined);
    yield rows.map((row) => toFoldRow(tenantId, row));
  }
}

/** The comparison of the three together says what is left; only that of the first two finds it without reading what lies before. */
function readPage(history: History, tenantId: number, identities: IdentityId[], after: Place): Promise<Row[]> {
  return history.query<Row>(
    `select identity, toUnixTimestamp64Milli(ts) ts, toString(event_key) key, log_partition partition, log_pos position, kind,
            toUnixTimestamp64Milli(received_at) receivedAt, session_id sessionId, sealed, money_role role, toString(amount) amount,
            currency, order_id orderId
       from events
      where tenant = {tenantId:UInt32} and identity in {identities:Array(UInt64)} and kind != 'system'
        and (identity > {identity:UInt64} or (identity = {identity:UInt64} and events.ts >= fromUnixTimestamp64Milli({ts:Int64})))
        and (identity, events.ts, event_key) > ({identity:UInt64}, fromUnixTimestamp64Milli({ts:Int64}), {key:UInt128})
      order by identity, events.ts, event_key limit 1 by identity, events.ts, event_key limit {limit:UInt32}`,
    { tenantId, identities, ...after, limit: pageRows },
  );
}

function toFoldRow(tenantId: number, row: Row): FoldRow {
  const { traits } = JSON.parse(row.sealed.slice(1)) as SealedPart;
  return {
    partition: row.partition,
    position: row.position,
    event: {
      tenantId,
      anchor: row.identity,
      kind: row.kind,
      ts: row.ts,
      receivedAt: row.receivedAt,
      key: keyFromDecimal(row.key),
      ...(row.sessionId !== "" && { sessionId: row.sessionId }),
      ...(traits && { traits: traits as JsonObject }),
      ...(row.role !== "" && {
        money: {
          role: row.role,
          micros: microsFromDecimal(row.amount).toString(),
          currency: row.currency,
          ...(row.orderId !== "" && { orderId: row.orderId }),
        },
      }),
    },
  };
}
