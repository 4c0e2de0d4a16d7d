import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient, type EventRow, type ProfileRow, readMeter, untilProcessed } from "../testing/server-client.ts";
import { createServerProcess, type ServerProcess, until } from "../testing/server-process.ts";

const total = 20_000;
const batchRows = 200;
const peopleMax = 300;
const sendersMax = 4;
const startedMs = Date.now();

/** Someone who sends events, and under which identifiers. */
interface Person {
  /** Everyone of one group ends in one profile; `couple` are two groups that an e-mail must not join. */
  group: string;
  /** The identifiers of this person's n-th event. */
  nth(n: number): object;
  identifiers: [type: string, value: string][];
}

const customer = (at: number): Person => {
  const [userId, email] = [`user-${at}`, `user-${at}@example.com`];
  const visitor = (n: number): string => `visitor-${at}-${Math.floor(n / 5) % 3}`;
  const ways = [(n: number) => ({ anonymousId: visitor(n) }), () => ({ userId }), (n: number) => ({ userId, anonymousId: visitor(n) }), () => ({ email }), () => ({ userId, email })];
  return {
    group: userId,
    nth: (n) => ways[n % 5]?.(n) ?? {},
    identifiers: [["external_id", userId], ["email", email], ...[0, 5, 10].map((n): [string, string] => ["anonymous_id", visitor(n)])],
  };
};
/** Two customers with one e-mail: both have an id of their own, so they stay two, and it belongs to one of them. */
const spouse = (at: number): Person => {
  const [userId, email] = [`spouse-${at}`, `couple-${at >> 1}@example.com`];
  return { group: userId, nth: (n) => (n % 2 === 0 ? { userId, email } : { userId }), identifiers: [["external_id", userId]] };
};
/** Two devices of somebody without an id: one e-mail makes them one. */
const guest = (at: number): Person => {
  const [deviceId, email] = [`device-${at}`, `guest-${at >> 1}@example.com`];
  return { group: email, nth: (n) => (n % 2 === 0 ? { deviceId, email } : { deviceId }), identifiers: [["device_id", deviceId], ["email", email]] };
};
const people = Array.from({ length: peopleMax }, (_, at) => (at < 200 ? customer(at) : at < 250 ? spouse(at) : guest(at)));
const centsOf = (at: number): number => (at % 7 === 0 ? (at * 37) % 10_000 : 0);

/** Batches take turns in being live and historical, with one event of each of 200 people: of a third only live ones, of a third only historical ones. */
const isHistorical = (at: number): boolean => Math.floor(at / batchRows) % 2 === 1;
const livePeople = people.filter((_, at) => at % 3 !== 0);
const historicalPeople = people.filter((_, at) => at % 3 !== 1);
const personOf = (at: number): Person => (isHistorical(at) ? historicalPeople : livePeople)[at % batchRows] as Person;

/** An event keeps its time when it is sent again. */
const eventOf = (at: number): object => ({
  eventId: `e-${at}`,
  timestamp: new Date(startedMs - (isHistorical(at) ? 86_400_000 + at * 60_000 : at)).toISOString(),
  ...personOf(at).nth(Math.floor(at / batchRows / 2)),
  ...(at % 7 === 0 ? { type: "purchase", properties: { orderId: `order-${at}`, amount: centsOf(at) / 100 } } : { type: "identify", traits: { last: at, [`t${at % 3}`]: at } }),
});

let server: ServerProcess;
let api: Client;
beforeAll(async () => {
  server = await createServerProcess();
  await server.start();
  api = createClient(server.url);
});
afterAll(() => server.remove());

/** What is still to be sent: batches of events, a few of them one by one, some twice. */
function makeQueue(): number[][] {
  const batches = Array.from({ length: total / batchRows }, (_, b) => Array.from({ length: batchRows }, (_, i) => b * batchRows + i));
  const single = batches.filter((_, b) => b % 50 === 10).flatMap((batch) => batch.map((at) => [at]));
  const again = batches.filter((_, b) => b % 10 === 3);
  return [...batches.filter((_, b) => b % 50 !== 10).flatMap((batch, i) => [batch, ...single.slice(i * 5, i * 5 + 5)]), ...again];
}

/** Sends until it is answered: what got no answer may have been taken or not. */
async function sendUntilAnswered(batch: number[]): Promise<void> {
  const events = batch.map(eventOf);
  const [path, body] = batch.length === 1 ? ["/api/cdp/events", events[0]] : ["/api/cdp/events/batch", { events, historical: isHistorical(batch[0] ?? 0) }];
  for (;;) {
    const answer = await api.post<{ data: { rejected?: number } }>(path, body).catch((error: unknown) => {
      // fetch says TypeError for any connection that fails.
      if (!(error instanceof TypeError)) throw error;
    });
    if (answer?.status === 202 && !answer.body.data.rejected) return;
    if (answer && answer.status !== 503) throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    await pause(20);
  }
}

/** Several senders at once; `answered` counts as they go. */
function startSending(): { answered(): number; done: Promise<unknown> } {
  const queue = makeQueue();
  let answered = 0;
  const sendOn = async (): Promise<void> => {
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      await sendUntilAnswered(batch);
      answered += batch.length;
    }
  };
  return { answered: () => answered, done: Promise.all(Array.from({ length: sendersMax }, sendOn)) };
}

/** `kill -9` at a moment nobody chose. */
async function killSoon(msMax: number): Promise<void> {
  await pause(Math.random() * msMax);
  await server.kill();
}

/** Waits until this process has processed so many, so that the kill after it meets the next batch on its way. */
async function someWereProcessed(count: number): Promise<void> {
  await until(`${count} events were processed`, async () => {
    return (await readMeter(server, "cdp_events_processed")) >= count || (await readMeter(server, "cdp_backlog_events")) === 0;
  });
}

/**
 * Kills while events come in, the first times as soon as the door has opened again and thus in the middle of a start, then
 * while they are processed. Once PostgreSQL dies with it.
 */
async function killAndRestartWhileSending(): Promise<void> {
  const sending = startSending();
  for (const count of [1000, 3000, 5000, 7000]) {
    await until(`${count} events were answered`, () => sending.answered() >= count);
    await killSoon(100);
    server.launch();
  }
  await server.ready();
  for (const [processed, withPostgres] of [[1, false], [2000, true], [1, false], [1, false]] as const) {
    await someWereProcessed(processed);
    if (withPostgres) server.signalPostgres("SIGKILL", "postmaster");
    await killSoon(withPostgres ? 0 : 400);
    await server.start();
  }
  await sending.done;
  await untilProcessed(server);
}

/** By key, the sum of the values. */
function sumBy<T>(items: T[], keyOf: (item: T) => string, valueOf: (item: T) => number): Map<string, number> {
  const sums = new Map<string, number>();
  for (const item of items) sums.set(keyOf(item), (sums.get(keyOf(item)) ?? 0) + valueOf(item));
  return sums;
}

test("kill -9 again and again in the middle of 20,000 events: every one that was answered is in one profile and counted once", async () => {
  await killAndRestartWhileSending();

  const history = await api.list<EventRow>("/api/cdp/events");
  const ids = new Set(history.map((row) => row.eventId));
  expect(Array.from({ length: total }, (_, at) => `e-${at}`).filter((id) => !ids.has(id))).toEqual([]);
  expect([history.length, ids.size]).toEqual([total, total]);
  expect(await api.list("/api/cdp/quarantine")).toEqual([]);
  expect(await readMeter(server, "cdp_events_dead_lettered")).toBe(0);

  const atOf = (row: EventRow): number => Number(row.eventId.slice(2));
  const profiles = new Map<string, ProfileRow>();
  for (const id of new Set(history.map((row) => row.profileId))) profiles.set(id ?? "nobody", await api.read<ProfileRow>(`/api/cdp/profiles/${id}`));
  const countIn = sumBy(history, (row) => row.profileId ?? "", () => 1);
  const centsIn = sumBy(history, (row) => row.profileId ?? "", (row) => centsOf(atOf(row)));
  const purchasesIn = sumBy(history, (row) => row.profileId ?? "", (row) => Number(row.type === "purchase"));
  for (const [id, profile] of profiles) {
    expect([profile.id, profile.totalEvents, profile.totalPurchases, Math.round(profile.totalRevenue * 100)]).toEqual([id, countIn.get(id), purchasesIn.get(id), centsIn.get(id)]);
  }
  const all = [...profiles.values()];
  const sum = (of: (profile: ProfileRow) => number): number => all.reduce((so, profile) => so + of(profile), 0);
  expect(sum((profile) => profile.totalEvents)).toBe(total);
  expect(Math.round(sum((profile) => profile.totalRevenue) * 100)).toBe(Array.from({ length: total }, (_, at) => centsOf(at)).reduce((a, b) => a + b));
  expect(await api.read("/api/cdp/stats")).toMatchObject({ totalEvents: total, totalProfiles: profiles.size });

  // Nobody got a number that somebody else had: each identifier leads to one profile, which has it, and to all events of its person.
  const identifiers = all.flatMap((profile) => profile.identifiers.map(({ type, value }) => `${type} ${value}`));
  expect(new Set(identifiers).size).toBe(identifiers.length);
  const profileOfGroup = new Map<string, string>();
  for (const { group, identifiers: own } of people) {
    for (const [type, value] of own) {
      const found = await api.lookup(type, value);
      expect([type, value, found?.identifiers.some((one) => one.type === type && one.value === value)]).toEqual([type, value, true]);
      expect([value, found?.id]).toEqual([value, profileOfGroup.get(group) ?? found?.id]);
      profileOfGroup.set(group, found?.id ?? "none");
    }
  }
  expect(new Set(profileOfGroup.values()).size).toBe(profileOfGroup.size);
  expect(profiles.size).toBe(profileOfGroup.size);
  const strays = history.filter((row) => row.profileId !== profileOfGroup.get(personOf(atOf(row)).group));
  expect(strays.map((row) => row.eventId)).toEqual([]);
}, 300_000);
