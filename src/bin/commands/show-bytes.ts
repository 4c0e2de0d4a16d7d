import { formatDuration } from "./import/show-progress.ts";

const mb = 1_000_000;
const lineEveryMs = 2000;

export interface ByteProgress {
  add(bytes: number, doing: string): void;
  /** What all of it was, as a sentence's end: `12.3 MB in 4 s (3.1 MB/s)`. */
  total(): string;
}

/** A line every two seconds with what was done so far; on a terminal one line that changes. */
export function showBytes(output: NodeJS.WriteStream, bytesTotal?: number): ByteProgress {
  const startedAt = performance.now();
  let [bytes, lineAt] = [0, startedAt];
  const rate = (): string => {
    const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000);
    return `in ${formatDuration(seconds)} (${(bytes / mb / seconds).toFixed(1)} MB/s)`;
  };
  return {
    add(more, doing) {
      bytes += more;
      if (performance.now() - lineAt < lineEveryMs) return;
      lineAt = performance.now();
      const of = bytesTotal === undefined ? "" : ` of ${(bytesTotal / mb).toFixed(1)}`;
      const line = `${doing}: ${(bytes / mb).toFixed(1)}${of} MB ${rate()}`;
      output.write(output.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
    },
    total() {
      if (output.isTTY) output.write("\r\x1b[K");
      return `${(bytes / mb).toFixed(1)} MB ${rate()}`;
    },
  };
}
