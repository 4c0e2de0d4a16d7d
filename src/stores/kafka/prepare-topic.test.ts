import { expect, test } from "vitest";
import { judgeConfigs } from "./prepare-topic.ts";

const good = { "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "min.insync.replicas": "2", "unclean.leader.election.enable": "false" };
const judge = (configs: Record<string, string>, copies = 3): string[] => judgeConfigs("events", new Map(Object.entries(configs)), copies);

test("a topic that keeps everything with two copies in sync is fine", () => {
  expect(judge(good)).toEqual([]);
});

test.each([
  [{ ...good, "retention.ms": "604800000" }, 3, "retention.ms=604800000"],
  [{ ...good, "retention.bytes": "1000" }, 3, "retention.bytes=1000"],
  [{ ...good, "min.insync.replicas": "1" }, 3, "min.insync.replicas=1"],
  [{ ...good, "unclean.leader.election.enable": "true" }, 3, "unclean.leader.election.enable"],
  [good, 1, "one copy only"],
])("%j with %s copies is warned about", (configs, copies, part) => {
  expect(judge(configs, copies)).toEqual([expect.stringContaining(part)]);
});

test("a compacted topic is no log", () => {
  expect(() => judge({ ...good, "cleanup.policy": "compact,delete" })).toThrow("compacted");
});

test("what is not known is not judged", () => {
  expect(judge({})).toEqual([]);
});
