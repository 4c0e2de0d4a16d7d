import type { CanonicalEvent } from "../../src/contracts/canonical-event.ts";
import { keyToDecimal } from "../../src/core/event-key.ts";
import { decodeEvent, decodeHead } from "../../src/core/log-record.ts";
import { microsToDecimal } from "../../src/core/money.ts";
import type { EventLog } from "../../src/contracts/event-log.ts";

/** A row of `events` as the server writes it. */
export interface HistoryRow {
  event_key: string;
  log_pos: number;
  [column: string]: unknown;
}

/** All that is to be read and written for one batch, made before the clock runs. */
export interface PrebuiltBatch {
  rows: HistoryRow[];
  /** Distinct identities that the events name, ascending; those of visitors nobody knows yet are left out. */
  identities: number[];
  /** Distinct profiles, ascending, with the number of events each gets. */
  profiles: number[];
}

/** Numbers that the floor's identities have: two for everybody, an e-mail beyond them. */
export const identityOf = {
  external: (person: number): number => 2 * person + 1,
  anonymous: (person: number): number => 2 * person + 2,
  email: (person: number, people: number): number => 2 * people + 1 + person,
};

function identitiesOf({ identifiers }: CanonicalEvent, people: number): number[] {
  return identifiers.flatMap(({ kind, value }) => {
    const person = Number(/^(?:user|anon|person)-(\d+)/.exec(value)?.[1] ?? Number.NaN);
    if (Number.isNaN(person)) return [];
    if (kind === "external_id") return [identityOf.external(person)];
    return [kind === "email" ? identityOf.email(person, people) : identityOf.anonymous(person)];
  });
}

function historyRow(event: CanonicalEvent, key: string, position: number, identities: number[]): HistoryRow {
  const { ip, ...context } = event.context ?? {};
  return {
    tenant: 1, identity: identities[0] ?? 0, ts: event.ts, event_key: keyToDecimal(key), log_partition: 1, log_pos: position, source: event.sourceId,
    event_id: event.eventId, kind: event.kind, name: event.name, received_at: event.receivedAt, sent_at: event.sentAt ?? null,
    session_id: event.sessionId ?? "", late: event.late, historical: false, identities,
    properties: JSON.stringify(event.properties ?? {}), context: JSON.stringify(context),
    sealed: `c${JSON.stringify({ identifiers: event.identifiers.map(({ kind, value }) => ({ kind, value })), traits: event.traits, ip })}`,
    money_role: event.money?.role ?? "", amount: event.money ? microsToDecimal(BigInt(event.money.micros)) : "0", currency: event.money?.currency ?? "",
    order_id: event.money?.orderId ?? "", emq: event.emq ?? 0, warnings: event.warnings, content_hash: position,
  };
}

/** The batches of the log's records, in the order of the log. A last one that is not full is left out. */
export async function prebuild(log: EventLog, events: number, batch: number, people: number): Promise<PrebuiltBatch[]> {
  const batches: PrebuiltBatch[] = [];
  for (let from = 1; from + batch <= events + 1; from += batch) {
    const identities = new Set<number>();
    const profiles = new Set<number>();
    const rows = (await log.read(0, from, batch, Infinity)).map(({ bytes, position }) => {
      const event = decodeEvent(bytes);
      const named = identitiesOf(event, people);
      for (const identity of named) identities.add(identity);
      if (named[0] !== undefined) profiles.add(named[0]);
      return historyRow(event, decodeHead(bytes).key, position, named);
    });
    const ascending = (set: Set<number>): number[] => [...set].sort((a, b) => a - b);
    batches.push({ rows, identities: ascending(identities), profiles: ascending(profiles) });
  }
  return batches;
}
