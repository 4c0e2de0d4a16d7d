import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listBackups, type StoredBackup } from "../backup/index.ts";
import { runCommand } from "../testing/run-command.ts";
import { untilProcessed } from "../testing/server-client.ts";
import { adminKey, createServerProcess, type ServerProcess } from "../testing/server-process.ts";
import { checkTenant } from "../testing/torture/check-tenant.ts";
import { ledgerKey, openTenant, pepper, replay, type Tenant } from "../testing/torture/open-tenant.ts";
import { createRandom } from "../testing/torture/random.ts";
import type { EventShown, HeldShown } from "../testing/torture/read-tenant.ts";
import { createSender } from "../testing/torture/send-events.ts";
import { createWriter, type Writer } from "../testing/torture/write-story.ts";

const lateness = { windowMs: 100, graceMs: 2000 };
const env = { TRIBUTARY_PEPPER: pepper, EVENT_PROCESSOR_GRACE_PERIOD: `${lateness.graceMs}ms` };
const hourMs = 3_600_000;
const perTurn = 400;

const servers: ServerProcess[] = [];
let root: string;
let backups: string;
let old: ServerProcess;
let tenants: Tenant[];
let writers: Writer[];
const sender = createSender();

async function newServer(): Promise<ServerProcess> {
  const server = await createServerProcess(env);
  servers.push(server);
  return server;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "backups-"));
  backups = join(root, "backups");
  old = await newServer();
  await old.start();
  tenants = [await openTenant(old.url, "one"), await openTenant(old.url, "two")];
  writers = tenants.map((tenant, n) => createWriter(createRandom(n), { of: tenant.name, people: 20, ageMsMax: 48 * hourMs, doors: ["api", "import", "quarantine", "stream"] }));
});
afterAll(async () => {
  for (const server of servers) await server.remove();
  await rm(root, { recursive: true });
});

const sendSome = async (count: number): Promise<void> => {
  await Promise.all(tenants.map((tenant, n) => sender.send(tenant, writers[n]?.write(count, Date.now()) ?? [])));
};

async function replayHeld(tenant: Tenant): Promise<void> {
  const held = await tenant.client.list<HeldShown>("/api/cdp/quarantine");
  const ids = held.filter((row) => row.sourceId === tenant.publicSourceIds.stream).slice(0, 20).map((row) => row.eventId);
  if (ids.length > 0) await replay(tenant, "stream", ids);
}

/** Takes a backup by the command and answers it. */
async function backUp(...flags: string[]): Promise<StoredBackup> {
  const { code, output } = await runCommand(["backup", backups, ...flags], { TRIBUTARY_URL: old.url, TRIBUTARY_API_KEY: adminKey });
  expect(output).toContain("Stored");
  expect(code).toBe(0);
  return (await listBackups(backups)).at(-1) as StoredBackup;
}

/** A new server on what a backup gives. */
async function restore({ path }: StoredBackup): Promise<ServerProcess> {
  const server = await newServer();
  const { code, output } = await runCommand(["restore", path], { DATA_DIR: server.dataDir, ...env });
  expect(output).toContain("Restored");
  expect(code).toBe(0);
  await server.start();
  await untilProcessed(server);
  return server;
}

/** A tenant as the restored server has it, under the same keys. */
const moved = (tenant: Tenant, { url }: ServerProcess): Tenant =>
  ({ ...tenant, client: tenant.client.at(url), writer: tenant.writer.at(url), ledger: structuredClone(tenant.ledger) });

/** All that the API shows of a tenant. */
async function readAll({ client }: Tenant): Promise<object> {
  const events = await client.list<EventShown & { eventId: string }>("/api/cdp/events");
  const ids = [...new Set(events.map(({ profileId }) => profileId))].filter((id) => id !== null).sort();
  const profiles = await Promise.all(ids.map(async (id) => ({
    profile: await client.read(`/api/cdp/profiles/${id}?traitTimes=true`),
    events: await client.list(`/api/cdp/profiles/${id}/events`),
    timeline: await client.list(`/api/cdp/profiles/${id}/timeline`),
  })));
  return { events, profiles, held: await client.list("/api/cdp/quarantine"), sources: await client.list("/api/cdp/sources", 100) };
}

test("backups under load: what was accepted before is restored, each event once, and what is sent again counts once", async () => {
  await sendSome(perTurn);
  await untilProcessed(old);
  const load = () => Promise.all([sendSome(perTurn), ...tenants.map(replayHeld)]);
  const [full] = await Promise.all([backUp(), load()]);
  const [newest] = await Promise.all([backUp(), load()]);
  expect([full.manifest.base, newest.manifest.base]).toEqual([null, full.manifest.id]);

  const server = await restore(newest);
  const ended = Date.parse(newest.manifest.startedAt);
  for (const tenant of tenants.map((one) => moved(one, server))) {
    const there = await shownKeys(tenant);
    expect(new Set(there).size).toBe(there.length);
    const lost = [...tenant.ledger].filter(([key]) => !there.includes(key));
    expect(lost.filter(([, { answeredAt }]) => answeredAt !== undefined && answeredAt < ended)).toEqual([]);

    for (const [key] of lost) tenant.ledger.delete(key);
    await sender.send(tenant, lost.map(([, { draft }]) => draft));
    await untilProcessed(server);
    const replayed = [...tenant.ledger.values()].filter((sent) => sent.replayed);
    if (replayed.length > 0) await replay(tenant, "stream", replayed.map(({ draft }) => draft.eventId));
    await untilProcessed(server);
    expect((await checkTenant(tenant, lateness, new Map())).violations).toEqual([]);
  }
});

async function shownKeys(tenant: Tenant): Promise<string[]> {
  const doorOf = new Map(Object.entries(tenant.publicSourceIds).map(([door, id]) => [id, door as keyof Tenant["publicSourceIds"]]));
  const rows = [...await tenant.client.list<EventShown>("/api/cdp/events"), ...await tenant.client.list<HeldShown>("/api/cdp/quarantine")];
  return rows.map((row) => ledgerKey(doorOf.get(row.sourceId ?? "") ?? "api", row.eventId));
}

test("a backup of a quiet server is restored to the same answers, from slices that each hold only what was new", async () => {
  await sendSome(perTurn);
  await untilProcessed(old);
  const newest = await backUp();
  const before = await Promise.all(tenants.map(readAll));
  const slices = (await listBackups(backups)).map(({ manifest }) => manifest.events);
  const again = await backUp("--full");
  expect(again.manifest.events).toBe(slices.reduce((sum, events) => sum + events, 0));
  expect(newest.manifest.events).toBeLessThan(again.manifest.events / 2);

  const server = await restore(newest);
  expect(await Promise.all(tenants.map((tenant) => readAll(moved(tenant, server))))).toEqual(before);
});

test("a restored server takes no part of the old one's backups for its own", async () => {
  const server = servers.at(-1) as ServerProcess;
  const more = await runCommand(["backup", backups], { TRIBUTARY_URL: server.url, TRIBUTARY_API_KEY: adminKey });
  expect(more.output).toContain("--full");
  expect(more.code).toBe(1);
});
