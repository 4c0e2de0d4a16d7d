import { Packr } from "msgpackr";
import type { OrderEntry, OrderState } from "./orders.ts";
import { emptySessions, type IdentitySessions, type Run, type SessionState } from "./sessions.ts";
import type { ProfileState } from "./state.ts";

const packr = new Packr({ useRecords: false });
const version = 2;
/** Had no filter of forgotten orders. */
const versionBefore = 1;

/** Small integers take fewer bytes as numbers; MessagePack has none beyond 64 bits, so large ones travel as text. */
type PackedInt = number | string;
type PackedOrder = [order: Buffer, ts: number, key: Buffer, micros: PackedInt, currency: string];
/** Offsets are milliseconds before the base of the pack, which keeps them short. */
type PackedRuns = [name: Buffer | null, offsetsAndLengths: number[]];
type PackedIdentity = [id: number, counted: number, plainFloor: number | null, namedFloor: number | null, runs: PackedRuns[]];
type PackedAggregates = [
  version: number,
  unconverted: number,
  lastPurchase: number | null,
  revenueByCurrency: [currency: string, micros: PackedInt][],
  ordersForgotten: number,
  orders: PackedOrder[],
  base: number,
  countedElsewhere: number,
  forgottenMax: number,
  identities: PackedIdentity[],
  forgottenOrders: Buffer | null,
];

/**
 * Everything of a state that is neither a fixed column nor a trait, as MessagePack by position, version first. Equal
 * states give equal bytes. Throws on a state that cannot tell, because such a state must never be stored.
 */
export function packAggregates(state: ProfileState): Buffer {
  if (state.cannotTell) throw new Error("a profile state that cannot tell must be folded anew, not stored");
  const base = latestEnd(state.sessions);
  const packed: PackedAggregates = [
    version,
    state.unconverted,
    finite(state.lastPurchase),
    inOrder(state.revenueByCurrency).map(([currency, micros]) => [currency, packInt(micros)]),
    state.orders.forgotten,
    packOrders(state.orders),
    base,
    state.sessions.countedElsewhere,
    state.sessions.forgottenMax,
    inOrder(state.sessions.kept).map(([id, identity]) => packIdentity(id, identity, base)),
    state.orders.filter === undefined ? null : Buffer.from(state.orders.filter),
  ];
  return packr.pack(packed);
}

/** Sets what `packAggregates` packed in `state`; no bytes at all stand for a profile without events. Throws on a version it does not know. */
export function unpackAggregates(bytes: Uint8Array, state: ProfileState): void {
  if (bytes.length === 0) return;
  const packed = packr.unpack(bytes) as PackedAggregates;
  if (packed[0] !== version && packed[0] !== versionBefore) throw new Error(`profile aggregates of version ${packed[0]}, expected ${version}`);
  const [, unconverted, lastPurchase, revenueByCurrency, forgotten, orders, base, countedElsewhere, forgottenMax, identities, filter] = packed;
  state.unconverted = unconverted;
  state.lastPurchase = lastPurchase ?? -Infinity;
  state.revenueByCurrency = new Map(revenueByCurrency.map(([currency, micros]) => [currency, BigInt(micros)]));
  state.orders = { kept: new Map(orders.map(unpackOrder)), forgotten, filter: filter ? new Uint8Array(filter) : undefined };
  state.sessions = unpackSessions(identities, base, { ...emptySessions(), countedElsewhere, forgottenMax });
}

const inOrder = <K extends string | number, V>(map: Map<K, V>): [K, V][] => (map.size < 2 ? [...map] : [...map].sort(([a], [b]) => (a < b ? -1 : 1)));
const finite = (time: number): number | null => (Number.isFinite(time) ? time : null);
const packInt = (value: bigint): PackedInt => (Number.isSafeInteger(Number(value)) ? Number(value) : value.toString());
const fromHex = (text: string): Buffer => Buffer.from(text, "hex");

function packOrders(orders: OrderState): PackedOrder[] {
  return inOrder(orders.kept).map(([order, { ts, key, micros, currency }]) => [fromHex(order), ts, fromHex(key), packInt(micros), currency]);
}

function unpackOrder([order, ts, key, micros, currency]: PackedOrder): [string, OrderEntry] {
  return [order.toString("hex"), { ts, key: key.toString("hex"), micros: BigInt(micros), currency }];
}

function packIdentity(id: number, { runs, counted, plainFloor, namedFloor }: IdentitySessions, base: number): PackedIdentity {
  const classes = inOrder(runs).map(([name, list]): PackedRuns => [name === "" ? null : fromHex(name), packRuns(list, base)]);
  return [id, counted, finite(plainFloor), finite(namedFloor), classes];
}

function packRuns(runs: Run[], base: number): number[] {
  const numbers: number[] = [];
  for (const { start, end } of runs) numbers.push(base - end, end - start);
  return numbers;
}

function latestEnd(sessions: SessionState): number {
  let latest = 0;
  for (const { runs } of sessions.kept.values()) for (const list of runs.values()) latest = Math.max(latest, list.at(-1)?.end ?? 0);
  return latest;
}

function unpackSessions(identities: PackedIdentity[], base: number, sessions: SessionState): SessionState {
  for (const [id, counted, plainFloor, namedFloor, classes] of identities) {
    const runs = new Map(classes.map(([name, numbers]) => [name === null ? "" : name.toString("hex"), unpackRuns(numbers, base)]));
    sessions.kept.set(id, { runs, counted, plainFloor: plainFloor ?? -Infinity, namedFloor: namedFloor ?? -Infinity });
  }
  return sessions;
}

function unpackRuns(numbers: number[], base: number): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const end = base - (numbers[i] ?? 0);
    runs.push({ start: end - (numbers[i + 1] ?? 0), end });
  }
  return runs;
}
