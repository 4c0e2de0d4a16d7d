import { expect, test } from "vitest";
import { isHistoryAway } from "./is-away.ts";

const withCode = (code: string): Error => Object.assign(new Error("said by the server"), { code });

test.each([
  ["nobody listens", withCode("ECONNREFUSED"), true],
  ["the connection was cut", withCode("ECONNRESET"), true],
  ["no answer in time", new Error("Timeout error."), true],
  ["a balancer has no server", new Error("<html><head><title>502 Bad Gateway</title></head></html>"), true],
  ["too many queries", withCode("202"), true],
  ["tables are read-only, because Keeper is away", withCode("242"), true],
  ["the disk is full", withCode("243"), true],
  ["too few replicas for a quorum", withCode("285"), true],
  ["the replica is behind", withCode("289"), true],
  ["ended by somebody", withCode("394"), true],
  ["Keeper", withCode("999"), true],
  ["a wrong password", withCode("516"), false],
  ["a missing right", withCode("497"), false],
  ["an unknown table", withCode("60"), false],
  ["rows that cannot be read", withCode("27"), false],
  ["a fault of ours", new TypeError("502 is not a function"), false],
])("%s: %#", (_, error, away) => {
  expect(isHistoryAway(error)).toBe(away);
});
