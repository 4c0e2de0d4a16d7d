import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JsonValue } from "../../contracts/json.ts";
import type { Mirror } from "../../contracts/mirror.ts";
import { openMirror } from "./mirror.ts";

let dir: string;
let mirror: Mirror;
const all = (): Record<string, JsonValue> => Object.fromEntries(mirror.entries());

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "mirror-"));
  mirror = openMirror({ dir });
});
afterEach(async () => {
  await mirror.close();
  await rm(dir, { recursive: true, force: true });
});

test("a document is there after a restart as it was put", async () => {
  const document = { name: "Ünïcode", list: [1, 2.5, null, true], nested: { "a.b": "" } };
  await mirror.put("source:1", document);
  await mirror.close();
  mirror = openMirror({ dir });
  expect(all()).toEqual({ "source:1": document });
});

test("putting again replaces, deleting removes, deleting what is not there is no error", async () => {
  await mirror.put("key:a", 1);
  await mirror.put("key:a", 2);
  await mirror.put("key:b", 3);
  await mirror.delete("key:b");
  await mirror.delete("key:c");
  expect(all()).toEqual({ "key:a": 2 });
});

test("replacing all leaves exactly what was given", async () => {
  await mirror.put("key:a", 1);
  await mirror.put("key:b", 2);
  await mirror.replaceAll(new Map([["key:b", 3], ["source:c", 4]]));
  expect(all()).toEqual({ "key:b": 3, "source:c": 4 });
});

test("replacing all of a namespace leaves the others, also those beside it in the order of keys", async () => {
  await mirror.replaceAll(new Map([["kex:a", 0], ["key:a", 1], ["key:b", 2], ["key;a", 3], ["source:a", 4]]));
  await mirror.replaceAll(new Map([["key:c", 5]]), "key:");
  expect(all()).toEqual({ "kex:a": 0, "key:c": 5, "key;a": 3, "source:a": 4 });
});

test("a namespace is read alone, in the order of its keys", async () => {
  await mirror.replaceAll(new Map([["key:b", 2], ["source:a", 3], ["key:a", 1]]));
  expect([...mirror.entries("key:")]).toEqual([["key:a", 1], ["key:b", 2]]);
});

test("replacing counts writes that were asked for before it, done or not", async () => {
  await Promise.all([mirror.put("key:a", 1), mirror.replaceAll(new Map([["key:b", 2]])), mirror.put("key:c", 3)]);
  expect(all()).toEqual({ "key:b": 2, "key:c": 3 });
});

test("thousands of documents are replaced at once", async () => {
  const documents = new Map(Array.from({ length: 5000 }, (_, i) => [`key:${i}`, { i, text: "x".repeat(i % 500) }]));
  await mirror.replaceAll(documents);
  expect(mirror.entries()).toEqual(new Map([...documents].sort(([a], [b]) => (a < b ? -1 : 1))));
  await mirror.replaceAll(new Map());
  expect(mirror.entries().size).toBe(0);
});

test.each([
  { why: "is empty", key: "" },
  { why: "is too long", key: "k".repeat(1001) },
  { why: "has a NUL", key: "key:\0" },
  { why: "is of another namespace", key: "source:a" },
])("a key that $why is refused and nothing changes", async ({ key }) => {
  await mirror.put("key:a", 1);
  await expect(mirror.replaceAll(new Map([["key:b", 2], [key, 3]]), "key:")).rejects.toThrow("key");
  expect(all()).toEqual({ "key:a": 1 });
});

test("what was read is a copy", async () => {
  await mirror.put("key:a", { n: 1 });
  (mirror.entries().get("key:a") as Record<string, JsonValue>)["n"] = 2;
  expect(all()).toEqual({ "key:a": { n: 1 } });
});
