import { test } from "vitest";
import { clonePostgres } from "/work/main/src/testing/postgres-clone.ts";
import { createLiveTenant, createWorker, insertTenant } from "/work/main/src/3-resolve/fixtures/live-tenant.ts";
import { settingsWith, toEvent, keyOf, type Fact } from "/work/main/src/3-resolve/fixtures/world.ts";
test("bench", async () => {
  const clone = await clonePostgres();
  let log: [string, number][] = [];
  const timed = (q: any) => ({ async query(t: string, v: unknown[]) { const s = performance.now(); const r = await q.query(t, v); log.push([t.trim().slice(0, 60).replace(/\s+/g, " "), performance.now() - s]); return r; } });
  const db: any = { ...clone.db, query: timed(clone.db).query, in: (tx: any) => timed(clone.db.in(tx)) };
  const settings = settingsWith({});
  const { resolve } = createWorker(db, settings);
  const tenantId = await insertTenant(clone.db);
  const run = async (label: string, facts: Fact[], size: number) => {
    const t0 = performance.now(); let mint = 0, n = 0; log = [];
    for (let i = 0; i < facts.length; i += size) {
      const evs = facts.slice(i, i + size).map((f) => toEvent(tenantId, f, () => 0));
      const m0 = performance.now(); const ids = await resolve.mint(evs); mint += performance.now() - m0;
      const links = resolve.linksOf(evs, ids, facts.slice(i, i + size).map(keyOf));
      await db.transaction(async (tx: any) => { await resolve.lockIdentities(tx, ids.flat().map((identityId) => ({ tenantId, identityId }))); const r = await resolve.decide(tx, links, async () => new Map()); n += r.merged.length + r.refold.length; });
      resolve.settle(true);
    }
    const ms = performance.now() - t0;
    console.log(label, facts.length, "events", Math.round(ms), "ms", Math.round(facts.length / ms * 1000), "/s; mint", Math.round(mint), "changes", n);
    const by = new Map<string, number>(); for (const [t, v] of log) by.set(t, (by.get(t) ?? 0) + v);
    for (const [t, v] of [...by].sort((a, b) => b[1] - a[1]).slice(0, 7)) console.log("   ", Math.round(v), t);
  };
  const T = 1_700_000_000_000;
  const mk = (n: number, people: number, off: number, late = false) => Array.from({ length: n }, (_, i): Fact => { const p = (i * 7919) % people; return { type: "event", at: late ? T - off - i : T + off + i, names: [`anonymous_id:${p}-${i % 3}`, `external_id:${p}`] }; });
  await run("new 20k people x3", mk(60000, 20000, 0), 5000);
  await run("repeat", mk(60000, 20000, 100000), 5000);
  await run("reverse late", mk(60000, 20000, 100000, true), 5000);
  const dev = Array.from({ length: 20000 }, (_, i): Fact => ({ type: "event", at: T + 300000 + i, names: [`device_id:${i % 5000}`, `external_id:${(i * 31) % 20000}`] }));
  await run("shared devices in order", dev, 2000);
  await run("shared devices late", dev.map((f) => ({ ...f, at: T - 300000 + ((f.at * 7919) % 1000) })), 2000);
  const hub = Array.from({ length: 9000 }, (_, i): Fact => ({ type: "event", at: T + 900000 + i, names: [`anonymous_id:hub${i}`, `external_id:hub`] }));
  await run("hub", hub, 500);
  await clone.drop();
}, 300000);
