import { afterAll, beforeAll, expect, test } from "vitest";
import { clonePostgres, type PostgresClone } from "../../testing/postgres-clone.ts";
import { findProfileRow, identifiersMax } from "./find-profile-row.ts";

const tenantId = 1;
const priorities = new Map([["external_id", 100], ["email", 80], ["anonymous_id", 10]]);
let clone: PostgresClone;

beforeAll(async () => {
  clone = await clonePostgres();
  await clone.db.query("insert into tenant (tenant_id, name, created_at) values (1, 'default', now()) on conflict do nothing");
});

afterAll(() => clone.drop());

/** Identities of the profile numbered as its first. */
async function insertIdentities(profileId: number, kind: string, from: number, count: number): Promise<void> {
  await clone.db.query(
    `insert into identity (tenant_id, identity_id, entity, kind, hash, sealed, profile_id, created_at)
     select 1, n, 'person', $2::text, sha256(convert_to($2::text || n, 'UTF8')), '\\x00'::bytea || convert_to($2::text || n, 'UTF8'), $1, to_timestamp(n)
       from generate_series($3::bigint, $3::bigint + $4::bigint - 1) n`,
    [profileId, kind, from, count],
  );
}

test("a profile without events is found by any of its identities and by hash, with its identifiers", async () => {
  await insertIdentities(1, "external_id", 1, 1);
  await insertIdentities(1, "email", 2, 1);
  const found = await findProfileRow(clone.db, tenantId, { identityId: 2 }, priorities);
  expect(found).toMatchObject({ profileId: 1, stored: undefined, totalIdentifiers: 2 });
  expect(found?.identifiers.toSorted((a, b) => a.identityId - b.identityId)).toEqual([
    { identityId: 1, entity: "person", kind: "external_id", value: "external_id1", priority: 100, createdAt: 1000 },
    { identityId: 2, entity: "person", kind: "email", value: "email2", priority: 80, createdAt: 2000 },
  ]);
  const [row] = await clone.db.query<{ hash: Buffer }>("select hash from identity where identity_id = 2");
  expect(await findProfileRow(clone.db, tenantId, { hash: row?.hash as Buffer }, priorities)).toEqual(found);
});

test("a name that nobody has, or that another tenant has, finds nothing", async () => {
  expect(await findProfileRow(clone.db, tenantId, { identityId: 999_999 }, priorities)).toBeUndefined();
  expect(await findProfileRow(clone.db, tenantId, { hash: Buffer.alloc(32) }, priorities)).toBeUndefined();
  expect(await findProfileRow(clone.db, 2, { identityId: 1 }, priorities)).toBeUndefined();
});

test("of very many identifiers the strongest are shown, the first of each kind among them, and all are counted", async () => {
  await insertIdentities(1000, "external_id", 1000, identifiersMax + 200);
  await insertIdentities(1000, "anonymous_id", 10_000, 300);
  await insertIdentities(1000, "fax", 20_000, 2);
  const found = await findProfileRow(clone.db, tenantId, { identityId: 10_050 }, priorities);
  const ids = new Set(found?.identifiers.map((one) => one.identityId));
  expect([ids.size, found?.totalIdentifiers]).toEqual([identifiersMax, identifiersMax + 502]);
  expect([1000, 1000 + identifiersMax - 3, 10_000, 20_000].map((id) => ids.has(id))).toEqual([true, true, true, true]);
  expect([1000 + identifiersMax - 2, 10_001, 20_001].map((id) => ids.has(id))).toEqual([false, false, false]);
});
