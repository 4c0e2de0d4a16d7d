import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { LinkCandidate } from "../contracts/identity.ts";
import type { Db, Queries } from "../stores/postgres/db.ts";
import { connectPostgres } from "../stores/postgres/pool.ts";
import { clonePostgres, type PostgresClone } from "../testing/postgres-clone.ts";
import { createLiveTenant, createWorker, insertTenant } from "./fixtures/live-tenant.ts";
import { type Fact, resolveFacts, settingsWith, toEvent } from "./fixtures/world.ts";

let clone: PostgresClone;
let tenantId: number;
beforeAll(async () => {
  clone = await clonePostgres();
});
beforeEach(async () => {
  tenantId = await insertTenant(clone.db);
});
afterAll(() => clone.drop());

const settings = settingsWith({});
const worker = (limits = {}) => createWorker(clone.db, settings, limits);
const event = (...names: string[]) => toEvent(tenantId, { type: "event", at: 1_700_000_000_000, names }, Number);
const seen = (at: number, ...names: string[]): Fact => ({ type: "event", at, names });
const noAge = async () => new Map<number, number>();
const key = "0".repeat(32);

describe("mint", () => {
  test("numbers identifiers in the order of their first appearance and knows them again", async () => {
    const { resolve } = worker();
    const first = await resolve.mint([event("email:a@x.org"), event("anonymous_id:1"), event("email:a@x.org", "phone:+4930111")]);
    const [a, b, c] = [first[0]?.[0] ?? 0, first[1]?.[0] ?? 0, first[2]?.[1] ?? 0];
    expect(first).toEqual([[a], [b], [a, c]]);
    expect([b, c]).toEqual([a + 1, a + 2]);
    expect(await worker().resolve.mint([event("phone:+4930111", "email:a@x.org")])).toEqual([[a, c]]);
  });

  test("puts the strongest identifier first, whatever order it was sent in", async () => {
    const { resolve } = worker();
    const names = ["anonymous_id:1", "device_id:1", "external_id:1", "email:a@x.org", "phone:+4930111"];
    const ids = await Promise.all(names.map(async (name) => (await resolve.mint([event(name)]))[0]?.[0]));
    expect(await resolve.mint([event(...names)])).toEqual([[ids[2], ids[3], ids[4], ids[1], ids[0]]]);
  });

  test("an event without identifiers has no identity", async () => {
    expect(await worker().resolve.mint([event()])).toEqual([[]]);
  });

  test("a profile number is the anchor; one that the tenant does not have counts for nothing", async () => {
    const { resolve } = worker();
    const [[cookie] = []] = await resolve.mint([event("anonymous_id:1")]);
    const [[other] = []] = await resolve.mint([{ ...event("email:a@x.org"), tenantId: await insertTenant(clone.db) }]);
    const [ids] = await resolve.mint([event("email:b@x.org", `profile:${cookie}`)]);
    expect([ids?.[0], ids?.length]).toEqual([cookie, 2]);
    expect(await resolve.mint([event(`profile:${other}`), event("profile:1e3"), event("profile:99999999999999999999")])).toEqual([[], [], []]);
  });

  test("strange values and kinds fail nothing", async () => {
    const strange = ["email:\0", "email:\ud800", "email:", "e\0:1", "unheard of:1", `email:${"x".repeat(100_000)}`];
    const ids = await worker().resolve.mint([event(...strange), event("email:fine")]);
    expect(ids.map((own) => own.length)).toEqual([5, 1]);
  });

  test("two workers minting the same people at once give them the same numbers", async () => {
    const events = Array.from({ length: 200 }, (_, i) => event(`email:${i}@x.org`));
    const [one, other] = await Promise.all([worker().resolve.mint(events), worker().resolve.mint(events.toReversed())]);
    expect(other.toReversed()).toEqual(one);
  });

  test("goes on after a number that was seen elsewhere, and never back", async () => {
    const { resolve } = worker();
    const [[before = 0] = []] = await resolve.mint([event("email:1@x.org")]);
    await resolve.advancePast(before + 1000);
    await resolve.advancePast(before + 10);
    expect(await resolve.mint([event("email:2@x.org")])).toEqual([[before + 1001]]);
  });
});

describe("reads", () => {
  test("find and identifiersOf know what was minted", async () => {
    const { resolve } = worker();
    const tenant = createLiveTenant(clone.db, tenantId, resolve);
    await tenant.say([seen(1_700_000_000_000, "anonymous_id:1", "email:a@x.org")]);
    const found = await resolve.find(clone.db, tenantId, "person", "email", "a@x.org");
    expect(found?.identityId).toBe(tenant.idOf("email:a@x.org"));
    expect(await resolve.find(clone.db, tenantId, "account", "email", "a@x.org")).toBeUndefined();
    expect(await resolve.identifiersOf(clone.db, tenantId, found?.profileId ?? 0)).toMatchObject([
      { entity: "person", kind: "email", value: "a@x.org", priority: 80, createdAt: 0 },
      { kind: "anonymous_id", value: "1", priority: 10 },
    ]);
  });

  test("an erased value is null", async () => {
    const { resolve } = worker();
    const [[id = 0] = []] = await resolve.mint([event("email:a@x.org")]);
    await clone.db.query("update identity set sealed = null where tenant_id = $1", [tenantId]);
    expect(await resolve.identifiersOf(clone.db, tenantId, id)).toMatchObject([{ value: null }]);
  });
});

describe("decide", () => {
  const moment = 1_700_000_000_000;

  test("of merged profiles the one first seen keeps its number, and the answer names the link", async () => {
    const { resolve } = worker();
    const events = [event("email:a@x.org", "phone:+4930111")];
    const identities = await resolve.mint(events);
    const [[email = 0, phone = 0] = []] = identities;
    const links = resolve.linksOf(events, identities, [key]);
    expect(links).toEqual([{ tenantId, a: email, b: phone, ts: moment, key, ord: 1 }]);
    const regrouping = await clone.db.transaction((tx) => resolve.decide(tx, links, async () => new Map([[phone, 5]])));
    expect(regrouping).toEqual({
      merged: [{ tenantId, survivor: phone, absorbed: [email], cause: expect.objectContaining({ a: email, b: phone }) }],
      refold: [], gone: [{ tenantId, profileId: email }],
    });
  });

  test("two tenants with the same identifiers never meet", async () => {
    const { resolve } = worker();
    const tenants = [createLiveTenant(clone.db, tenantId, resolve), createLiveTenant(clone.db, await insertTenant(clone.db), resolve)] as const;
    await tenants[0].say([seen(moment, "external_id:1", "email:a@x.org")]);
    await tenants[1].say([seen(moment, "external_id:2", "email:a@x.org"), seen(moment, "anonymous_id:1")]);
    expect(await tenants[0].profiles()).toEqual([["email:a@x.org", "external_id:1"]]);
    expect(await tenants[1].profiles()).toEqual([["anonymous_id:1"], ["email:a@x.org", "external_id:2"]]);
    expect(tenants[0].idOf("email:a@x.org")).not.toBe(tenants[1].idOf("email:a@x.org"));
  });

  test("a link between tenants, between entities, or to nobody is none", async () => {
    const { resolve } = worker();
    const stranger = { ...event("email:s@x.org"), tenantId: await insertTenant(clone.db) };
    const account = { ...event(), identifiers: [{ entity: "account" as const, kind: "external_id", value: "1" }] };
    const [[a = 0] = [], [b = 0] = [], [c = 0] = []] = await resolve.mint([event("email:a@x.org"), stranger, account]);
    const links: LinkCandidate[] = [b, c, 999_999_999].map((other, i) => ({ tenantId, a, b: other, ts: moment, key, ord: i }));
    expect(await clone.db.transaction((tx) => resolve.decide(tx, links, noAge))).toEqual({ merged: [], refold: [], gone: [] });
    expect(await clone.db.query("select a from link where tenant_id = $1", [tenantId])).toEqual([]);
  });

  test("a pair is remembered only when its transaction was committed", async () => {
    const sent = countStatements(clone.db);
    const { resolve } = createWorker(sent.db, settings);
    const events = [event("email:a@x.org", "phone:+4930111")];
    const links = resolve.linksOf(events, await resolve.mint(events), [key]);
    const decide = () => clone.db.transaction((tx) => resolve.decide(tx, links, noAge));
    const failing = clone.db.transaction(async (tx) => {
      await resolve.decide(tx, links, noAge);
      throw new Error("state could not be written");
    });
    await expect(failing).rejects.toThrow("state could not be written");
    resolve.settle(false);
    expect((await decide()).merged).toHaveLength(1);
    resolve.settle(true);
    const before = sent.inTransactions();
    const later = links.map((link) => ({ ...link, ts: link.ts + 1 }));
    expect(await clone.db.transaction((tx) => resolve.decide(tx, later, noAge))).toEqual({ merged: [], refold: [], gone: [] });
    expect(sent.inTransactions()).toBe(before);
  });

  test("a transaction that is tried again decides the same once more, and counts once", async () => {
    const { resolve, meters } = worker();
    const tenant = createLiveTenant(clone.db, tenantId, resolve);
    await tenant.say([seen(moment, "external_id:1", "email:a@x.org")]);
    const events = [{ ...event("external_id:2", "email:a@x.org"), ts: moment + 1 }];
    const links = resolve.linksOf(events, await resolve.mint(events), [key]);
    let tries = 0;
    await clone.db.transaction(async (tx) => {
      await resolve.decide(tx, links, noAge);
      tries += 1;
      if (tries === 1) await clone.db.in(tx).query("do $$ begin raise exception 'again' using errcode = '40001'; end $$");
    });
    resolve.settle(true);
    expect([tries, meters.count("cdp_links_refused")]).toEqual([2, 1]);
  });

  test("two workers deciding the same people at once end in the same profiles, without errors", async () => {
    const facts = Array.from({ length: 120 }, (_, i) => seen(moment + i, `anonymous_id:${i % 40}`, `email:${i % 11}@x.org`, `external_id:${i % 7}`));
    const second = connectPostgres(clone.settings);
    try {
      const tenants = [clone.db, second].map((db) => createLiveTenant(db, tenantId, createWorker(db, settings).resolve));
      await Promise.all(tenants.map(async (tenant, i) => {
        for (let from = 0; from < facts.length; from += 10) await tenant.say((i === 0 ? facts : facts.toReversed()).slice(from, from + 10));
      }));
      expect(await tenants[0]?.profiles()).toEqual(resolveFacts(facts, settings));
    } finally {
      await second.close();
    }
  });

  test("thousands of links among hundreds of profiles take a handful of statements", async () => {
    const sent = countStatements(clone.db);
    const { resolve, meters } = createWorker(sent.db, settings);
    const tenant = createLiveTenant(sent.db, tenantId, resolve);
    const facts = Array.from({ length: 3000 }, (_, i) =>
      seen(moment + ((i * 7919) % 3000), `device_id:${i % 271}`, `email:${i % 523}@x.org`, `external_id:${i % 97}`));
    await tenant.mint(facts);
    for (const half of [facts.slice(0, 1500), facts.slice(1500)]) {
      const before = sent.inTransactions();
      await tenant.say(half);
      expect(sent.inTransactions() - before).toBeLessThan(30);
    }
    expect(await tenant.profiles()).toEqual(resolveFacts(facts, settings));
    expect(meters.count("cdp_links_refused")).toBeGreaterThan(0);
  });
});

describe("a region that is too large to be decided anew", () => {
  const moment = 1_700_000_000_000;
  /** Two people on one device, each with some cookies. */
  const crowd = [
    ...[1, 2].flatMap((person) => [1, 2, 3].map((i) => seen(moment + 100 + i, `external_id:${person}`, `anonymous_id:${person}${i}`))),
    seen(moment + 200, "device_id:1", "external_id:1"), seen(moment + 300, "device_id:1", "external_id:2"),
  ];
  const lateLogin = seen(moment, "device_id:1", "external_id:2");

  test("is decided as it is and frozen", async () => {
    const { resolve, meters } = worker({ regionMax: 8 });
    const tenant = createLiveTenant(clone.db, tenantId, resolve);
    await tenant.say(crowd);
    const before = await tenant.profiles();
    expect(meters.count("cdp_regions_frozen")).toBe(0);
    await tenant.say([lateLogin]);
    expect(await tenant.profiles()).toEqual(before);
    expect(meters.count("cdp_regions_frozen")).toBe(1);
    const frozen = await clone.db.query("select count(*) as n, bool_and(frozen) as all from identity where tenant_id = $1", [tenantId]);
    expect(frozen).toEqual([{ n: 9, all: true }]);
  });

  test("still takes new links, and is not read again", async () => {
    const { resolve, meters } = worker({ regionMax: 8 });
    const tenant = createLiveTenant(clone.db, tenantId, resolve);
    await tenant.say(crowd);
    await tenant.say([lateLogin]);
    await tenant.say([seen(moment + 400, "external_id:2", "anonymous_id:24"), seen(moment - 1, "device_id:1", "external_id:2")]);
    expect(await tenant.profiles()).toContainEqual(["anonymous_id:21", "anonymous_id:22", "anonymous_id:23", "anonymous_id:24", "external_id:2"]);
    expect(meters.count("cdp_regions_frozen")).toBe(1);
  });

  test("does not freeze what is decided beside it", async () => {
    const { resolve, meters } = worker({ regionMax: 8 });
    const tenant = createLiveTenant(clone.db, tenantId, resolve);
    const beside = [seen(moment + 2, "external_id:8", "email:m@x.org"), seen(moment + 3, "external_id:9", "email:m@x.org")];
    await tenant.say([...crowd, ...beside]);
    await tenant.say([lateLogin, seen(moment + 1, "external_id:9", "email:m@x.org")]);
    expect(await tenant.profiles()).toContainEqual(["email:m@x.org", "external_id:9"]);
    expect(meters.count("cdp_regions_frozen")).toBe(1);
  });

  test("is decided anew, and thawed, where more may be read", async () => {
    const frozen = createLiveTenant(clone.db, tenantId, worker({ regionMax: 8 }).resolve);
    await frozen.say(crowd);
    await frozen.say([lateLogin]);
    await clone.db.query("update identity set frozen = false where tenant_id = $1 and identity_id = profile_id", [tenantId]);
    const tenant = createLiveTenant(clone.db, tenantId, worker().resolve);
    const again = seen(moment - 1, "device_id:1", "external_id:2");
    await tenant.say([...crowd, again]);
    expect(await tenant.profiles()).toEqual(resolveFacts([...crowd, lateLogin, again], settings));
    expect(await clone.db.query("select 1 from identity where tenant_id = $1 and frozen", [tenantId])).toEqual([]);
  });
});

/** The database, counting the statements of its transactions. */
function countStatements(db: Db): { db: Db; inTransactions(): number } {
  let sent = 0;
  const counting = (q: Queries): Queries => ({
    query(text, values) {
      sent += 1;
      return q.query(text, values);
    },
  });
  return { db: { ...db, in: (tx) => counting(db.in(tx)) }, inTransactions: () => sent };
}
