import { afterAll, beforeAll, expect, test } from "vitest";
import { clonePostgres } from "../../testing/postgres-clone.ts";
import type { Db } from "./db.ts";
import { requireSameSecret } from "./require-same-secret.ts";

let db: Db;
let drop: () => Promise<void>;
beforeAll(async () => ({ db, drop } = await clonePostgres()));
afterAll(() => drop());

test("the first secret stands, another one is refused, and neither can be read back", async () => {
  const first = Buffer.from("a".repeat(32));
  await requireSameSecret(db, "pepper", first, "Put it back.");
  await requireSameSecret(db, "pepper", first, "Put it back.");
  await expect(requireSameSecret(db, "pepper", Buffer.from("b".repeat(32)), "Put it back.")).rejects.toThrow("The pepper is not the one this database was made with. Put it back.");
  const [row] = await db.query<{ value: Buffer }>("select value from installation where name = 'pepper'");
  expect(row?.value.includes(first.subarray(0, 4))).toBe(false);
});
