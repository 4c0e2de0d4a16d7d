import { afterAll, beforeAll, expect, test } from "vitest";
import { createPositionSet } from "../../core/position-set.ts";
import { clonePostgres, type PostgresClone } from "../../testing/postgres-clone.ts";
import { until } from "../../testing/server-process.ts";
import { takeSnapshot } from "./take-snapshot.ts";

let clone: PostgresClone;
beforeAll(async () => {
  clone = await clonePostgres();
});
afterAll(() => clone.drop());

const enqueue = "insert into outbox (tenant_id, kind, payload) select 1, 'regrouped', '{}' from generate_series(1, $1::int) returning seq";
const snapshot = () => clone.db.session((session) => takeSnapshot(clone.db, session));

test("messages that wait, and those to come, are not delivered; all others are", async () => {
  const rows = await clone.db.query<{ seq: number }>(enqueue, [6]);
  const seqs = rows.map(({ seq }) => seq);
  await clone.db.query("delete from outbox where seq = any($1)", [[seqs[0], seqs[2], seqs[5]]]);
  const [mark] = (await snapshot()).marks;
  const delivered = createPositionSet(mark?.lowWater ?? 0, Buffer.from(mark?.doneAbove ?? "", "base64"));
  expect(seqs.map((seq) => delivered.has(seq))).toEqual([true, false, true, false, false, true]);
  expect(delivered.has((seqs[5] ?? 0) + 1)).toBe(false);
});

test("a message that is being written is waited for, so that its number is not taken for a delivered one", async () => {
  let seq = 0;
  const written = Promise.withResolvers<void>();
  const commit = Promise.withResolvers<void>();
  const writing = clone.db.transaction(async (tx) => {
    [{ seq } = { seq: 0 }] = await clone.db.in(tx).query<{ seq: number }>(enqueue, [1]);
    written.resolve();
    await commit.promise;
  });
  await written.promise;
  const taken = snapshot();
  await until("the snapshot waits", async () => (await clone.db.query("select 1 from pg_locks where not granted and mode = 'ShareLock'")).length > 0);
  commit.resolve();
  await writing;
  const [mark] = (await taken).marks;
  expect(createPositionSet(mark?.lowWater ?? 0, Buffer.from(mark?.doneAbove ?? "", "base64")).has(seq)).toBe(false);
});

test("tables come after those they refer to, and every sequence with what it gave last", async () => {
  const { tables, sequences } = await snapshot();
  const names = tables.map(({ name }) => name);
  expect(names.indexOf("tenant")).toBeLessThan(names.indexOf("source"));
  expect(names).toEqual(expect.arrayContaining(["identity", "profile_hot", "outbox", "log_partition", "installation"]));
  expect(names).not.toContain("schema_migration");
  const [last] = await clone.db.query<{ seq: number }>("select max(seq) as seq from outbox");
  expect(sequences.find(({ name }) => name === "outbox_seq_seq")).toEqual({ name: "outbox_seq_seq", lastValue: last?.seq, large: true });
});
