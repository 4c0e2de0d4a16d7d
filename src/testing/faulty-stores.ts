import type { CanonicalEvent } from "../contracts/canonical-event.ts";
import type { Db, Queries } from "../stores/postgres/db.ts";
import type { History } from "../stores/clickhouse/history.ts";

/** How a call to a store fails: before its effect, after it, after a part of it, or as PostgreSQL ends one of two that stand in each other's way. */
export interface Fault {
  /** Calls that pass before it. */
  after: number;
  kind: "refused" | "lost" | "torn" | "contention";
  /** Whether the process dies of it. */
  restart: boolean;
}

export interface Faults {
  /** Nothing fails while this is false. */
  armed: boolean;
  /** The fault that comes now, if one does. */
  strike(): Fault | undefined;
  /** The latest that struck. */
  latest: Fault | undefined;
  /** Id of an event that no insert into history can take. */
  poison: string | undefined;
  /** Faults to come instead of those planned. */
  plan(faults: readonly Fault[]): void;
}

const injected = new WeakSet<object>();
export const isInjected = (error: unknown): boolean => typeof error === "object" && error !== null && injected.has(error);

function outage(kind: string, code?: string): Error {
  const error = Object.assign(new Error(`injected: ${kind}`), code === undefined ? {} : { code });
  injected.add(error);
  return error;
}

/** Faults in the order planned; once they are used up nothing fails any more. */
export function createFaults(planned: readonly Fault[]): Faults {
  let rest = [...planned];
  let calls = 0;
  return {
    armed: true,
    latest: undefined,
    poison: undefined,
    plan(faults) {
      rest = [...faults];
      calls = 0;
    },
    strike() {
      const [fault] = rest;
      if (!this.armed || !fault || calls++ < fault.after) return undefined;
      rest.shift();
      calls = 0;
      this.latest = fault;
      return fault;
    },
  };
}

async function failing<T>(faults: Faults, work: () => Promise<T>): Promise<T> {
  const kind = faults.strike()?.kind;
  if (kind !== undefined && kind !== "lost") throw outage(kind);
  const answer = await work();
  if (kind === "lost") throw outage(kind);
  return answer;
}

/** The database with faults at its calls, those within transactions included. */
export function createFaultyDb(db: Db, faults: Faults): Db {
  const inTransaction = (q: Queries): Queries => ({
    async query<Row>(text: string, values?: unknown[]) {
      const kind = faults.strike()?.kind;
      if (kind === "contention") throw outage(kind, "40001");
      if (kind !== undefined) throw outage(kind);
      return await q.query<Row>(text, values);
    },
  });
  return {
    ...db,
    query: (text, values) => failing(faults, () => db.query(text, values)),
    transaction: (work) => failing(faults, () => db.transaction(work)),
    in: (tx) => inTransaction(db.in(tx)),
  };
}

/** The history with faults; a torn insert leaves the first half of its rows. */
export function createFaultyHistory(history: History, faults: Faults): History {
  return {
    ...history,
    query: (text, params, options) => failing(faults, () => history.query(text, params, options)),
    insert: (table, rows) => tearing(faults, rows.length, (some) => history.insert(table, rows.slice(0, some))),
    insertBinary(table, columns, items, write, origin) {
      if ((items as readonly { event: CanonicalEvent }[]).some(({ event }) => event.eventId === faults.poison)) return Promise.reject(new TypeError("poison"));
      return tearing(faults, items.length, (some) => history.insertBinary(table, columns, items.slice(0, some), write, some < items.length ? undefined : origin));
    },
  };
}

async function tearing(faults: Faults, rows: number, insert: (rows: number) => Promise<void>): Promise<void> {
  const kind = rows === 0 ? undefined : faults.strike()?.kind;
  if (kind === "torn") await insert(rows >> 1);
  if (kind !== undefined && kind !== "lost") throw outage(kind);
  await insert(rows);
  if (kind === "lost") throw outage(kind);
}
