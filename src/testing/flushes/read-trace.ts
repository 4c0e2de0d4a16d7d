/** A system call of a trace. Moments are line numbers: the tracer writes lines in the order in which things happen. */
export interface Call {
  pid: number;
  name: string;
  /** The file descriptor it works on, and what that is: a path, or `socket:[17]`. */
  fd: number | undefined;
  path: string;
  /** All arguments and the result, as the tracer prints them. */
  text: string;
  began: number;
  ended: number;
  succeeded: boolean;
}

const line = /^(\d+) +[\d.]+ (.*)$/;
const resumed = /^<\.\.\. \w+ resumed>(.*)$/;
const unfinished = " <unfinished ...>";
const target = /^(\w+)\((?:(\d+)<([^>]*)>)?/;

/** Reads what `strace -f -ttt -y -o FILE` writes. Calls that had not ended with the trace are left out. */
export function readTrace(trace: string): Call[] {
  const calls: Call[] = [];
  const open = new Map<number, { text: string; began: number }>();
  for (const [moment, row] of trace.split("\n").entries()) {
    const [, pidText = "", rest = ""] = line.exec(row) ?? [];
    const pid = Number(pidText);
    const tail = resumed.exec(rest)?.[1];
    const head = tail === undefined ? { text: rest, began: moment } : open.get(pid);
    if (!head) continue;
    if (rest.endsWith(unfinished)) {
      open.set(pid, { text: rest.slice(0, -unfinished.length), began: moment });
      continue;
    }
    open.delete(pid);
    const text = head.text + (tail ?? "");
    const [, name, fd, path = ""] = target.exec(text) ?? [];
    if (name === undefined) continue;
    const result = text.slice(text.lastIndexOf(" = ") + 3);
    const succeeded = /^\d/.test(result);
    calls.push({ pid, name, fd: fd === undefined ? undefined : Number(fd), path, text, began: head.began, ended: moment, succeeded });
  }
  return calls;
}

const writing = new Set(["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg"]);
const reading = new Set(["read", "readv", "recvfrom", "recvmsg"]);

export const isWrite = (call: Call): boolean => writing.has(call.name) && call.succeeded;
export const isRead = (call: Call): boolean => reading.has(call.name) && call.succeeded && !call.text.endsWith(" = 0");
export const isFlush = (call: Call): boolean => (call.name === "fdatasync" || call.name === "fsync") && call.succeeded;

/** Whether a call lies between two moments, neither included. */
export const isBetween = (call: Call, after: number, before: number): boolean => call.began > after && call.ended < before;

/** What a check found: how many acknowledgements it judged, and which were not covered. */
export interface Finding {
  judged: number;
  violations: string[];
}
