import { expect, test } from "vitest";
import type { EventHead } from "../contracts/canonical-event.ts";
import { shardOf } from "./shard-of.ts";

const shards = [0, 1, 2, 3, 4, 5, 6];
const event = (identifiers: [kind: string, value: string][], eventId = "e"): EventHead => ({
  tenantId: 1, sourceId: 2, eventId, kind: "track", name: "view", ts: 1, receivedAt: 1, late: false, warnings: [],
  identifiers: identifiers.map(([kind, value]) => ({ entity: "person", kind, value })),
});

test("events of one strongest identifier go to one shard, whatever else they name", () => {
  const bare = shardOf(event([["external_id", "u1"]]), shards);
  for (let n = 0; n < 50; n++) expect(shardOf(event([["external_id", "u1"], ["anonymous_id", `a${n}`]], `e${n}`), shards)).toBe(bare);
});

test("people spread over all shards, and so do events that name nobody", () => {
  const people = Array.from({ length: 200 }, (_, n) => shardOf(event([["external_id", `u${n}`]]), shards));
  const nobody = Array.from({ length: 200 }, (_, n) => shardOf(event([], `e${n}`), shards));
  expect(new Set(people)).toEqual(new Set(shards));
  expect(new Set(nobody)).toEqual(new Set(shards));
});

test("a log of one shard takes everything", () => {
  expect(shardOf(event([["external_id", "u1"]]), [3])).toBe(3);
});
