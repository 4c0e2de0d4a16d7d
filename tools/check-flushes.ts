#!/usr/bin/env node
// Shows that what is acknowledged has been flushed, for each engine: a real server is traced while events are sent to it.
//   node tools/check-flushes.ts
// Without strace (Linux) only the engines' own counters and settings are looked at, and it says so. Ends with 1 when anything
// was acknowledged that a power cut could take back.
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { checkAnswers } from "../src/testing/flushes/check-answers.ts";
import { checkCommits } from "../src/testing/flushes/check-commits.ts";
import { checkParts } from "../src/testing/flushes/check-parts.ts";
import { checkHistorySettings, checkStateSettings, countInsertFlushes, countWalFlushes } from "../src/testing/flushes/engine-counters.ts";
import { type Call, type Finding, isRead, isWrite, readTrace } from "../src/testing/flushes/read-trace.ts";
import { canTrace, findDsync, traceServer } from "../src/testing/flushes/trace-server.ts";
import { createClient, untilProcessed } from "../src/testing/server-client.ts";
import { createServerProcess, type ServerProcess } from "../src/testing/server-process.ts";

const singles = 10;
const batches = 5;
const batchRows = 200;
const violations: string[] = [];

function report(what: string, { judged, violations: found }: Finding): void {
  console.log(`${what.padEnd(70)} ${judged - found.length} of ${judged}`);
  violations.push(...found.map((one) => `${what}: ${one}`), ...(judged === 0 ? [`${what}: nothing was seen`] : []));
}

/** One after the other, so that it is known what each flush is for; then some at once, which share flushes of the log. */
async function sendEvents(server: ServerProcess, round: string): Promise<void> {
  const client = createClient(server.url);
  const expect202 = async (path: string, body: object): Promise<void> => {
    const { status } = await client.post(path, body);
    if (status !== 202) throw new Error(`${path} answered ${status}`);
  };
  const rows = (batch: number) => Array.from({ length: batchRows }, (_, n) => ({ type: "Sent", userId: `${round}-${batch}-${n}`, traits: { n } }));
  for (let n = 0; n < singles; n++) await expect202("/api/cdp/events", { type: "Sent", userId: `${round}-${n}` });
  for (let n = 0; n < batches; n++) await expect202("/api/cdp/events/batch", { events: rows(n) });
  await untilProcessed(server);
  await Promise.all(Array.from({ length: singles }, (_, n) => expect202("/api/cdp/events", { type: "Sent", userId: `${round}-at-once-${n}` })));
  await expect202("/cdp/ingest", { eventId: `${round}-late`, ts: "2020-01-01T00:00:00Z", payload: { type: "TRACK", name: "Late", userId: "late" } });
  await untilProcessed(server);
}

/** When the batch after it is noted as done in PostgreSQL: rows of history count as kept from then on. */
function findKept(calls: readonly Call[], serverPid: number): (named: Call) => number {
  const own = calls.filter((call) => call.pid === serverPid && call.path.startsWith("socket:"));
  return (named) => {
    const noted = own.find((call) => isWrite(call) && call.began > named.ended && call.text.includes("update log_partition"));
    return own.find((call) => noted && isRead(call) && call.path === noted.path && call.began > noted.ended && call.text.includes("COMMIT\\0"))?.ended ?? Infinity;
  };
}

async function checkTrace(server: ServerProcess): Promise<void> {
  const pids = server.pids();
  const [serverPid = 0] = pids;
  const log = { dir: join(server.dataDir, "log/"), dsync: findDsync(serverPid, server.dataDir) };
  const trace = await traceServer(pids);
  await sendEvents(server, "traced");
  const calls = readTrace(await trace.stop());
  report("log: answers 202 whose events were written and flushed before", checkAnswers(calls, log));
  report("state: commits flushed into the write-ahead log before the answer", checkCommits(calls, serverPid));
  for (const table of ["events", "events_held"]) {
    const dir = realpathSync(join(server.dataDir, "history/data/tributary", table));
    report(`history: parts of ${table} flushed, names included, before they count`, checkParts(calls, dir, findKept(calls, serverPid)));
  }
}

const server = await createServerProcess();
try {
  await server.start();
  report("state: settings of the running PostgreSQL", await checkStateSettings(server.dataDir));
  report("state: batches that moved PostgreSQL's own counter of flushes", await countWalFlushes(server.dataDir, (round) => sendEvents(server, round)));
  if (canTrace()) await checkTrace(server);
  else console.log("*** strace is not here: NO acknowledgement of the log was traced, only the engines' own counters were looked at ***");
  await server.stop();
  report("history: settings of the tables", await checkHistorySettings(join(server.dataDir, "history")));
  report("history: inserts that moved ClickHouse's own counters of flushes", await countInsertFlushes(join(server.dataDir, "history")));
} finally {
  await server.remove();
}
for (const violation of violations) console.log(`VIOLATED ${violation}`);
process.exit(violations.length === 0 ? 0 : 1);
