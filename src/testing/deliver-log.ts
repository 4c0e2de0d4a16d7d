import fc from "fast-check";
import type { LogRecord } from "../contracts/event-log.ts";
import { t0 } from "./events.ts";
import { type Fault, isInjected } from "./faulty-stores.ts";
import { type ProcessOptions, windowMs, type World } from "./pipeline-harness.ts";
import { inOrderOf, type RandomLog } from "./random-log.ts";

// How a log is worked off: in which order, in what batches, with what failures. Numbers are drawn once and used in turn.

export interface Delivery {
  /** `window`: as the reader of the window hands events out. `batches`: in any order and batches. */
  through: "window" | "batches";
  places: number[];
  sizes: number[];
  /** Moments at which the window is looked into, as places between the first and the last event. */
  looks: number[];
  /** Whether the outbox is drained after a batch. */
  drains: boolean[];
  /** Whether a batch is handed in once more when it is done. */
  repeats: boolean[];
  /** Whether the next batch may come before a batch is in state. */
  overlaps: boolean[];
  faults: Fault[];
  options: ProcessOptions;
}

/** Up to eight faults, with up to so many calls before each. */
export const randomFaults = (afterMax: number): fc.Arbitrary<Fault[]> => fc.array(
  fc.record({
    after: fc.nat({ max: afterMax }), kind: fc.constantFrom<Fault["kind"][]>("refused", "lost", "torn", "contention"), restart: fc.boolean(),
  }),
  { maxLength: 8 },
);

export const randomDelivery: fc.Arbitrary<Delivery> = fc.record({
  through: fc.constantFrom<Delivery["through"][]>("batches", "window"),
  places: fc.array(fc.nat({ max: 99 }), { minLength: 4, maxLength: 50, size: "max" }),
  sizes: fc.array(fc.integer({ min: 1, max: 14 }), { minLength: 1, maxLength: 6 }),
  looks: fc.array(fc.nat({ max: 100 }), { minLength: 1, maxLength: 12 }),
  drains: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
  repeats: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
  overlaps: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
  faults: fc.oneof({ weight: 1, arbitrary: fc.constant<Fault[]>([]) }, { weight: 3, arbitrary: randomFaults(60) }),
  options: fc.record({
    memoryBytes: fc.constantFrom(64, 512, 1 << 20),
    bufferBytesMax: fc.constantFrom(300, 1_000_000),
    cacheMax: fc.constantFrom(3, 10_000),
    rebuild: fc.boolean(),
  }),
});

/** Brings everything into state. What fails is tried again, by the same process or by the next. */
export async function deliver(world: World, log: RandomLog, delivery: Delivery): Promise<void> {
  let turns = 0;
  const work = async (records: LogRecord[]): Promise<void> => {
    const turn = turns++;
    if (inTurn(delivery.overlaps, turn)) return void (await untilDone(world, () => world.process.pipeline.take(records)));
    const isDone = await untilDone(world, () => world.process.pipeline.process(records));
    if (isDone && inTurn(delivery.repeats, turn)) await untilDone(world, () => world.process.pipeline.process(records));
    if (inTurn(delivery.drains, turn)) await untilDone(world, () => world.process.activate.drain());
  };
  if (delivery.through === "window") await throughWindow(world, log, delivery, work);
  else await inBatches(world, log, delivery, work);
  world.faults.armed = false;
}

const inTurn = <T>(list: readonly T[], turn: number): T => list[turn % list.length] as T;

/** True when it was done; false when the process died of it. */
export async function untilDone(world: World, attempt: () => Promise<unknown>): Promise<boolean> {
  for (;;) {
    try {
      await attempt();
      return true;
    } catch (error) {
      if (!isInjected(error)) throw error;
      if (!world.faults.latest?.restart) continue;
      await world.restart();
      return false;
    }
  }
}

/** Drains the outbox until it is empty, with these faults. */
export async function drainAll(world: World, faults: readonly Fault[]): Promise<void> {
  world.faults.plan(faults);
  world.faults.armed = true;
  for (let left = 1; left > 0; ) await untilDone(world, async () => (left = await world.process.activate.drain()));
  world.faults.armed = false;
}

async function throughWindow(world: World, log: RandomLog, { sizes, looks }: Delivery, work: (records: LogRecord[]) => Promise<void>): Promise<void> {
  const ends = log.events.map(({ ts }) => ts + windowMs);
  const [first, last] = [Math.min(...ends), Math.max(...ends)];
  const events = log.events.map((event, i) => ({ ...event, receivedAt: t0 + i }));
  let done = 0;
  let time = -Infinity;
  for (let turn = 0; done < events.length; turn++) {
    const size = inTurn(sizes, turn);
    await world.append(events.slice(done, done + size));
    done += size;
    time = Math.max(time, first + ((last - first) * inTurn(looks, turn)) / 100);
    await work(await world.process.reader.next(time));
  }
  // A process that dies of its last batch leaves the next one all of that to read.
  for (let isOver = false; !isOver; ) {
    const rest = await world.process.reader.next(last);
    if (rest.length > 0) await work(rest);
    else isOver = await settle(world);
  }
}

const settle = (world: World): Promise<boolean> => untilDone(world, () => world.process.pipeline.settle());

async function inBatches(world: World, log: RandomLog, { places, sizes }: Delivery, work: (records: LogRecord[]) => Promise<void>): Promise<void> {
  await world.append(log.events);
  const order = inOrderOf(world.accepted.map((_, i) => i + 1), placesOf(world, places));
  let rest = order;
  const isOpen = (position: number): boolean => !world.process.partition.positions.has(position);
  for (let turn = 0; rest.length > 0; turn++) {
    const { process } = world;
    const batch = rest.slice(0, inTurn(sizes, turn));
    const shuffled = inOrderOf(batch, places);
    await work(await world.log.readAt(0, shuffled));
    // What is on its way is not handed in again, unless the process died with it.
    rest = process === world.process ? rest.filter((position) => isOpen(position) && !batch.includes(position)) : order.filter(isOpen);
    if (rest.length > 0) continue;
    await settle(world);
    rest = order.filter(isOpen);
  }
}

/** Any order, but that other content under the same id comes no earlier than the first: so much the window sees to. */
function placesOf(world: World, places: readonly number[]): number[] {
  const first = new Map<string, { content: string; place: number }>();
  return world.accepted.map(({ event, key }, i) => {
    const [content, place] = [JSON.stringify(event), inTurn(places, i)];
    const known = first.get(key) ?? { content, place };
    first.set(key, known);
    return known.content === content ? place : Math.max(place, known.place);
  });
}
