import { expect, test } from "vitest";
import type { Draft } from "../../contracts/surface.ts";
import type { Findings } from "../findings.ts";
import { stampTime } from "./stamp-time.ts";

const receivedAt = Date.parse("2026-02-15T10:30:00Z");

function stamp({ ts, sentAt, batchSentAt }: { ts?: string; sentAt?: string; batchSentAt?: string }) {
  const draft: Draft = {
    kind: "track",
    name: { field: "type", value: "x" },
    identifiers: [],
    ts: ts === undefined ? undefined : { field: "timestamp", value: ts },
    sentAt: sentAt === undefined ? undefined : { field: "sentAt", value: sentAt },
  };
  const findings: Findings = { errors: [], warnings: [] };
  const { ts: stamped, serverTs } = stampTime(draft, receivedAt, batchSentAt === undefined ? undefined : Date.parse(batchSentAt), findings);
  return { ts: findings.errors[0]?.reason ?? new Date(stamped).toISOString().slice(11, 19), serverTs, warnings: findings.warnings };
}

test.each([
  ["as sent", { ts: "2026-02-15T10:29:00Z" }, "10:29:00", false, []],
  ["missing: the arrival", {}, "10:30:00", true, []],
  ["without offset: UTC", { ts: "2026-02-15T10:29:00" }, "10:29:00", false, []],
  ["with offset", { ts: "2026-02-15T12:29:00+02:00" }, "10:29:00", false, []],
  ["5 s ahead: as sent", { ts: "2026-02-15T10:30:05Z" }, "10:30:05", false, []],
  ["more than 5 s ahead: the arrival", { ts: "2026-02-15T10:30:06Z" }, "10:30:00", true, ["future_timestamp"]],
  ["year 9999: the arrival", { ts: "9999-12-31T23:59:59Z" }, "10:30:00", true, ["future_timestamp"]],
  ["a minute in transit: as sent", { ts: "2026-02-15T10:28:00Z", sentAt: "2026-02-15T10:29:00Z" }, "10:28:00", false, []],
  ["a clock two hours behind: corrected", { ts: "2026-02-15T08:29:00Z", sentAt: "2026-02-15T08:30:00Z" }, "10:29:00", true, []],
  ["a clock two hours ahead: corrected", { ts: "2026-02-15T12:29:00Z", sentAt: "2026-02-15T12:30:00Z" }, "10:29:00", true, []],
  ["a clock at the epoch: corrected", { ts: "1970-01-01T00:00:10Z", sentAt: "1970-01-01T00:00:20Z" }, "10:29:50", true, []],
  ["the batch's clock corrects", { ts: "2026-02-15T08:29:00Z", batchSentAt: "2026-02-15T08:30:00Z" }, "10:29:00", true, []],
  ["the row's clock before the batch's", { ts: "2026-02-15T10:29:00Z", sentAt: "2026-02-15T10:30:00Z", batchSentAt: "2026-02-15T08:30:00Z" }, "10:29:00", false, []],
  ["before 1971", { ts: "1970-12-31T23:59:59Z" }, "too_old", false, []],
  ["year 0", { ts: "0000-01-01T00:00:00Z" }, "too_old", false, []],
  ["AURA's printed time", { ts: "2026-02-15T101:30:00.000Z" }, "invalid_time", true, []],
  ["year 275760", { ts: "+275760-09-13T00:00:00Z" }, "invalid_time", true, []],
  ["a word", { ts: "now" }, "invalid_time", true, []],
  ["nothing between the quotes", { ts: "" }, "invalid_time", true, []],
  ["a day that is none", { ts: "2026-02-30T00:00:00Z" }, "invalid_time", true, []],
])("%s", (_case, sent, ts, serverTs, warnings) => {
  expect(stamp(sent)).toEqual({ ts, serverTs, warnings });
});

test("an error names the sender's field", () => {
  const findings: Findings = { errors: [], warnings: [] };
  stampTime({ kind: "track", name: { field: "n", value: "x" }, identifiers: [], ts: { field: "event_time", value: "soon" } }, receivedAt, undefined, findings);
  expect(findings.errors).toEqual([{ field: "event_time", reason: "invalid_time", message: "event_time must be an ISO-8601 time such as 2026-02-15T10:30:00.000Z" }]);
});
