import { type Call, type Finding, isBetween, isFlush, isWrite } from "./read-trace.ts";

const renamed = /^rename\("([^"]+)\/(tmp_insert_[^"/]+)\/", "[^"]+\/([^"/]+)\/"/;

/**
 * Each part that ClickHouse inserted into the table must be covered: all its files were flushed after their last byte, the
 * directory that names them too, then it got its name, and the directory of the table was flushed before `until`, the
 * moment at which its rows count as kept. Projections are left out: ClickHouse does without one that is damaged.
 */
export function checkParts(calls: readonly Call[], table: string, until: (renamed: Call) => number): Finding {
  const finding: Finding = { judged: 0, violations: [] };
  const flushes = calls.filter(isFlush);
  const isFlushed = (path: string, after: number, before: number): boolean => flushes.some((flush) => flush.path === path && isBetween(flush, after, before));
  for (const naming of calls) {
    const [, dir, temporary = "", name = ""] = renamed.exec(naming.text) ?? [];
    if (dir !== table || !naming.succeeded) continue;
    finding.judged++;
    const lacks: string[] = [];
    const from = `${dir}/${temporary}/`;
    const files = new Map<string, number>();
    for (const call of calls) {
      const isFile = call.path.startsWith(from) && !call.path.slice(from.length).includes("/");
      if (isFile && isWrite(call) && call.ended < naming.began) files.set(call.path, call.ended);
    }
    if (files.size === 0) lacks.push("no file of it was written");
    for (const [path, last] of files) {
      if (!isFlushed(path, last, naming.began)) lacks.push(`${path.slice(from.length)} was not flushed before`);
    }
    if (!isFlushed(`${dir}/${name}`, naming.ended, Infinity)) lacks.push("its directory was not flushed");
    if (!isFlushed(dir, naming.ended, until(naming))) lacks.push("the directory of the table was not flushed before its rows counted as kept");
    if (lacks.length > 0) finding.violations.push(`line ${naming.ended + 1}: part ${name} got its name, and ${lacks.join(", ")}`);
  }
  return finding;
}
