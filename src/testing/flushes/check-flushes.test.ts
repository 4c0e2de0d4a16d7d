import { expect, test } from "vitest";
import { checkAnswers } from "./check-answers.ts";
import { checkCommits } from "./check-commits.ts";
import { checkParts } from "./check-parts.ts";
import { type Finding, readTrace } from "./read-trace.ts";

// Traces as strace writes them, shortened. Each must pass whole, and fail without any one of the lines that are named.

const answered = `
1 1.0 read(9<socket:[5]>, "POST /api/cdp/events", 65536) = 300
7 1.1 writev(23</d/log/1/data.mdb>, [{iov_base="x", iov_len=4096}], 1) = 4096
7 1.2 fdatasync(23</d/log/1/data.mdb> <unfinished ...>
8 1.3 fdatasync(50</d/postgres/data/pg_wal/0001>) = 0
7 1.4 <... fdatasync resumed>) = 0
7 1.5 pwrite64(24</d/log/1/data.mdb>, "m", 128, 40) = 128
1 1.6 write(9<socket:[5]>, "HTTP/1.1 202 Accepted\\r\\n", 304) = 304`;

const committed = `
1 1.0 write(9<socket:[5]>, "Q\\0\\0\\0)begin isolation level", 42) = 42
1 1.1 writev(9<socket:[5]>, [{iov_base="P\\0\\0\\0X\\0update log_partition", iov_len=99}], 1) = 99
1 1.2 write(9<socket:[5]>, "Q\\0\\0\\0\\vcommit\\0", 12) = 12
8 1.3 pwrite64(50</d/postgres/data/pg_wal/0001>, "w", 8192, 0) = 8192
8 1.4 fdatasync(50</d/postgres/data/pg_wal/0001>) = 0
1 1.5 read(9<socket:[5]>, "C\\0\\0\\0\\vCOMMIT\\0Z\\0\\0\\0\\5I", 65536) = 18`;

const inserted = `
4 1.0 write(30</d/store/t/tmp_insert_1_1_0/data.bin>, "x", 9) = 9
4 1.1 write(31</d/store/t/tmp_insert_1_1_0/by_key.proj/data.bin>, "x", 9) = 9
4 1.2 fdatasync(30</d/store/t/tmp_insert_1_1_0/data.bin>) = 0
4 1.3 rename("/d/store/t/tmp_insert_1_1_0/", "/d/store/t/1_1_0/") = 0
4 1.4 fdatasync(32</d/store/t/1_1_0>) = 0
5 1.5 fsync(33</d/store/t>) = 0`;

const answers = (trace: string): Finding => checkAnswers(readTrace(trace), { dir: "/d/log/", dsync: new Set([24]) });
const commits = (trace: string): Finding => checkCommits(readTrace(trace), 1);
const parts = (trace: string): Finding => checkParts(readTrace(trace), "/d/store/t", () => Infinity);

const cases: [string, (trace: string) => Finding, string, string[]][] = [
  ["a 202", answers, answered, ["writev(23", "<... fdatasync resumed", "pwrite64(24", "POST"]],
  ["a commit", commits, committed, ["pwrite64(50", "fdatasync(50"]],
  ["a part", parts, inserted, ["fdatasync(30", "fdatasync(32", "fsync(33"]],
];

test.each(cases)("%s that was flushed before is covered", (_, check, trace) => {
  expect(check(trace)).toEqual({ judged: 1, violations: [] });
});

test.each(cases.flatMap(([what, check, trace, lines]) => lines.map((line) => [what, line, check, trace] as const)))("%s without %s is a violation", (_, line, check, trace) => {
  const without = trace.split("\n").filter((row) => !row.includes(line)).join("\n");
  expect(check(without).violations).toHaveLength(1);
});

test.each<[string, (trace: string) => Finding, string, string]>([
  ["the log's pages only after the record that makes them count", answers, answered.replace("7 1.5 pwrite64(24", "7 1.5 pwrite64(99"), "a descriptor without O_DSYNC"],
  ["a flush that failed", answers, answered.replace("resumed>) = 0", "resumed>) = -1 EIO (Input/output error)"), "EIO"],
  ["a commit's flush that failed", commits, committed.replace("pg_wal/0001>) = 0", "pg_wal/0001>) = -1 EIO (Input/output error)"), "EIO"],
  ["a file written again after its flush", parts, inserted.replace("4 1.3", '4 1.25 write(30</d/store/t/tmp_insert_1_1_0/data.bin>, "y", 9) = 9\n4 1.3'), "y"],
])("%s is a violation", (_, check, trace, changed) => {
  expect(trace === answered || trace === committed || trace === inserted, changed).toBe(false);
  expect(check(trace).violations).toHaveLength(1);
});

test("a transaction that changed nothing has nothing to flush", () => {
  const reading = committed.replace("update log_partition", "select 1 from log_partition").split("\n").filter((row) => !row.includes("pg_wal")).join("\n");
  expect(commits(reading)).toEqual({ judged: 0, violations: [] });
});
