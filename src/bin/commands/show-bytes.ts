import { formatDuration } from "./import/show-progress.ts";

const mb = 1_000_000;
const lineEveryMs = 2000;

export interface ByteProgress {
  add(bytes: number, doing: string): void;
  /** What all of it was, as a sentence's end: `12.3 MB, 96.2 MB before compression, in 4 s (24.1 MB/s)`. */
  total(bytesRaw?: number): string;
}

/** A line every two seconds with what was done so far; on a terminal one line that changes. */
export function showBytes(output: NodeJS.WriteStream, bytesTotal?: number): ByteProgress {
  const startedAt = performance.now();
  let [bytes, lineAt] = [0, startedAt];
  const inMb = (size: number): string => (size / mb).toFixed(1);
  const rate = (done: number): string => {
    const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000);
    return `in ${formatDuration(seconds)} (${inMb(done / seconds)} MB/s)`;
  };
  return {
    add(more, doing) {
      bytes += more;
      if (performance.now() - lineAt < lineEveryMs) return;
      lineAt = performance.now();
      const of = bytesTotal === undefined ? "" : ` of ${inMb(bytesTotal)}`;
      const line = `${doing}: ${inMb(bytes)}${of} MB ${rate(bytes)}`;
      output.write(output.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
    },
    total(bytesRaw) {
      if (output.isTTY) output.write("\r\x1b[K");
      return bytesRaw === undefined ? `${inMb(bytes)} MB ${rate(bytes)}` : `${inMb(bytes)} MB, ${inMb(bytesRaw)} MB before compression, ${rate(bytesRaw)}`;
    },
  };
}
