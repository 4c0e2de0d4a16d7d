import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a process was started with, or undefined when it is gone. */
export async function readCommandLine(pid: number): Promise<string[] | undefined> {
  if (process.platform === "linux") {
    const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    return text === "" ? undefined : text.split("\0");
  }
  return await run("ps", ["-ww", "-o", "command=", "-p", String(pid)]).then(({ stdout }) => stdout.trim().split(" "), () => undefined);
}

/** When a process started, in whatever the system counts in: with the pid it names one process. Undefined when it is gone. */
export async function readStartMark(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") {
    const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // Fields are counted behind the name, which is in brackets and may hold anything. Z: dead, not yet collected.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  }
  return await run("ps", ["-o", "lstart=", "-p", String(pid)]).then(({ stdout }) => stdout.trim() || undefined, () => undefined);
}
