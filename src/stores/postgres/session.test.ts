import { afterAll, beforeAll, expect, test } from "vitest";
import { clonePostgres, type PostgresClone } from "../../testing/postgres-clone.ts";
import { beginRestore, finishRestore, readInstallation, requireRestored } from "./installation.ts";

let clone: PostgresClone;
beforeAll(async () => {
  clone = await clonePostgres();
  await clone.db.query("create table line (n int primary key, words text, bytes bytea, doc jsonb)");
});
afterAll(() => clone.drop());

async function* chunksOf(text: string, size = 7): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("what is copied out goes in again as it was", async () => {
  await clone.db.query(
    `insert into line select n, case when n % 3 = 0 then null else repeat(E'\\t\\n\\\\ü', n) end, decode(md5(n::text), 'hex'), jsonb_build_object('n', n, 'x', E'"\\n') from generate_series(1, 500) n`,
  );
  const before = await clone.db.query("select * from line order by n");
  const copied = await clone.db.session(async (session) => Buffer.concat(await Array.fromAsync(session.copyOut("copy line to stdout"))).toString());
  await clone.db.query("truncate line");
  await clone.db.session((session) => session.copyIn("copy line from stdin", chunksOf(copied)));
  expect(await clone.db.query("select * from line order by n")).toEqual(before);
});

test.each<[name: string, bytes: () => AsyncIterable<Buffer>, said: RegExp]>([
  ["a row that does not fit", () => chunksOf(`1\ta\t\\\\x00\t{}\n${"x\n".repeat(200_000)}`, 65_536), /invalid input syntax|missing data/],
  ["a source that fails", async function* () {
    yield Buffer.from("1\t");
    throw new Error("unreadable");
  }, /unreadable/],
])("%s ends the copy with its error, and nothing of it is kept", async (_, bytes, said) => {
  await clone.db.query("truncate line");
  await expect(clone.db.session((session) => session.copyIn("copy line from stdin", bytes()))).rejects.toThrow(said);
  expect(await clone.db.query("select * from line")).toEqual([]);
});

test("a reader that goes away in the middle of a copy does not hold up the end of its connection", async () => {
  await clone.db.query("insert into line (n, words) select n, repeat('x', 1000) from generate_series(1001, 20000) n");
  await clone.db.session(async (session) => {
    for await (const chunk of session.copyOut("copy line to stdout")) if (chunk.length > 0) break;
  });
  expect(await clone.db.query("select 1 as one")).toEqual([{ one: 1 }]);
});

test("a restored database is another installation, and no server starts on it before it is finished", async () => {
  const before = await readInstallation(clone.db);
  expect((await readInstallation(clone.db)).place).toBe(before.place);
  await beginRestore(clone.db, "backup");
  await expect(requireRestored(clone.db)).rejects.toThrow(/did not come to its end/);
  await finishRestore(clone.db);
  await expect(requireRestored(clone.db)).resolves.toBeUndefined();
  expect((await readInstallation(clone.db)).place).not.toBe(before.place);
});
