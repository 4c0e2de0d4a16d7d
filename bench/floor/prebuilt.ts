import type { EventHead } from "../../src/contracts/canonical-event.ts";
import type { EventLog } from "../../src/contracts/event-log.ts";
import { decodeBatch } from "../../src/core/decode-batch.ts";
import { writeRow } from "../../src/4-profile/steps/write-history.ts";
import { RowBuffer } from "../../src/stores/clickhouse/row-binary.ts";

/** A row of `events` as the server writes it, in bytes. */
export type HistoryRow = Buffer;

/** Where the columns that tell a row from another stand in it. */
export const rowLayout = { key: 20, position: 40 } as const;

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

function identitiesOf({ identifiers }: EventHead, people: number): number[] {
  return identifiers.flatMap(({ kind, value }) => {
    const person = Number(/^(?:user|anon|person)-(\d+)/.exec(value)?.[1] ?? Number.NaN);
    if (Number.isNaN(person)) return [];
    if (kind === "external_id") return [identityOf.external(person)];
    return [kind === "email" ? identityOf.email(person, people) : identityOf.anonymous(person)];
  });
}

/** The batches of the log's records, in the order of the log. A last one that is not full is left out. */
export async function prebuild(log: EventLog, events: number, batch: number, people: number): Promise<PrebuiltBatch[]> {
  const batches: PrebuiltBatch[] = [];
  for (let from = 1; from + batch <= events + 1; from += batch) {
    const identities = new Set<number>();
    const profiles = new Set<number>();
    const { items } = await decodeBatch(1, await log.read(0, from, batch, Infinity));
    const rows = items.map((item) => {
      item.identities = identitiesOf(item.event, people);
      for (const identity of item.identities) identities.add(identity);
      if (item.identities[0] !== undefined) profiles.add(item.identities[0]);
      const row = new RowBuffer(2000);
      writeRow(row, item);
      return row.take();
    });
    const ascending = (set: Set<number>): number[] => [...set].sort((a, b) => a - b);
    batches.push({ rows, identities: ascending(identities), profiles: ascending(profiles) });
  }
  return batches;
}
