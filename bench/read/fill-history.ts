import type { History } from "../../src/stores/clickhouse/history.ts";
import { eventNames, eventsOf, names, slots, source, startMs, stepMs, tenant, type Crowd } from "./crowd.ts";

/** Log partition of the events that were filled in; the server's own start at 1. */
export const filledPartition = 1_000_000;
/** What an insert of this many takes stays below the memory that the product grants a statement. */
const eventsPerInsert = 250_000;

/** Writes the crowd's events as the product would have: one row each, with keys, anchors and positions that hold. */
export async function fillHistory(history: History, crowd: Crowd, tell: (done: number) => void): Promise<void> {
  const total = eventsOf(crowd);
  for (let from = 0; from < total; from += eventsPerInsert) {
    const count = Math.min(eventsPerInsert, total - from);
    await history.command(insert(crowd), { from, count, ...constants(crowd) });
    tell(from + count);
  }
}

const constants = (crowd: Crowd): Record<string, unknown> => ({
  persons: crowd.persons, uniform: crowd.persons * crowd.events, step: stepMs(crowd), start: startMs, eventNames: [...eventNames],
});

/** 600 bytes an event, all in: that is what the other benchmarks send. */
const insert = (crowd: Crowd): string => `
insert into events (tenant, identity, ts, event_key, log_partition, log_pos, source, event_id, kind, name, received_at, session_id, late, historical,
  identities, properties, context, sealed, money_role, amount, currency, emq, content_hash)
with if(number < {uniform:UInt64}, number % {persons:UInt64}, 0) as person,
  {start:Int64} + toInt64(floor(number * {step:Float64})) as ms,
  concat('bench-', toString(number)) as event_id,
  ({eventNames:Array(String)})[1 + intDiv(number, 3) % ${eventNames.length}] as name
select ${tenant}, person * ${slots} + 1, fromUnixTimestamp64Milli(ms),
  reinterpretAsUInt128(reverse(substring(SHA256(concat('${tenant}\\n${source}\\n', event_id)), 1, 16))),
  ${filledPartition}, number + 1, ${source}, event_id, 'track', name, fromUnixTimestamp64Milli(ms + 40), '', false, false,
  [person * ${slots} + 1, person * ${slots} + ${slots}],
  concat('{"url":"https://shop.example.com/products/', toString(number % 5000), '","title":"Product ', toString(number % 5000),
    '","price":', toString(number % 300), '.99,"currency":"USD","category":"shoes","position":', toString(number % 40), ',"list":"search results"}'),
  concat('{"source":"web","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0","locale":"en-US","page":{"path":"/products/',
    toString(number % 5000), '","referrer":"https://www.example.com/"},"screen":{"width":1440,"height":900}}'),
  concat('c{"identifiers":[{"kind":"external_id","value":"${names.external_id.prefix}', toString(person),
    '"},{"kind":"anonymous_id","value":"${names.anonymous_id.prefix}', toString(person), '"}],"ip":"203.0.113.7"}'),
  '', 0, '', 0.6, cityHash64(event_id)
from numbers({from:UInt64}, {count:UInt64})${crowd.events > 0 ? "" : " where false"}`;
