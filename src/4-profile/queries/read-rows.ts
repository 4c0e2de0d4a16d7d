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

/** All events of these identities as folding reads them, page by page, in no order that matters. System events are left out, and of an event that a repeated insert wrote twice one row. */
export async function* readFoldRows(history: History, tenantId: number, identities: IdentityId[]): AsyncGenerator<FoldRow[]> {
  let last = { identity: 0, ts: 0, key: 0n };
  for (;;) {
    const rows = await history.query<Row>(
      `select identity, toUnixTimestamp64Milli(ts) ts, toString(event_key) key, log_partition partition, log_pos position, kind,
              toUnixTimestamp64Milli(received_at) receivedAt, session_id sessionId, sealed, money_role role, toString(amount) amount,
              currency, order_id orderId
         from events
        where tenant = {tenantId:UInt32} and identity in {identities:Array(UInt64)} and kind != 'system'
          and (identity, ts, event_key) > ({identity:UInt64}, fromUnixTimestamp64Milli({ts:Int64}), {key:UInt128})
        order by identity, ts, event_key limit 1 by identity, ts, event_key limit {limit:UInt32}`,
      { tenantId, identities, ...last, limit: pageRows },
    );
    yield rows.map((row) => toFoldRow(tenantId, row));
    const end = rows.at(-1);
    if (!end || rows.length < pageRows) return;
    last = { identity: end.identity, ts: end.ts, key: BigInt(end.key) };
  }
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
