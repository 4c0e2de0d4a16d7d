import { SingleBar } from "cli-progress";

export interface ProgressFigures {
  /** Rows answered by this run, without those an earlier one had done. */
  rows: number;
  accepted: number;
  rejected: number;
  bytesRead: number;
}

export interface Progress {
  update(figures: ProgressFigures): void;
  /** A sentence for the person waiting, shown at most every two seconds. */
  note(message: string): void;
  stop(): void;
}

const lineEveryMs = 2000;

/** A bar with rate and time left on a terminal, a line every two seconds elsewhere. */
export function createProgress(output: NodeJS.WriteStream, bytesTotal: number | undefined, startedAt: number): Progress {
  return output.isTTY && bytesTotal !== undefined ? createBar(output, bytesTotal, startedAt) : createLines(output, bytesTotal, startedAt);
}

function createBar(output: NodeJS.WriteStream, bytesTotal: number, startedAt: number): Progress {
  const format = "{bar} {percentage}% · {rows} rows · {rate} rows/s · {left} left{note}";
  const bar = new SingleBar({ format, stream: output, hideCursor: true, barsize: 24, clearOnComplete: false });
  bar.start(Math.max(1, bytesTotal), 0, { rows: 0, rate: 0, left: "?", note: "" });
  return {
    update(figures) {
      bar.update(figures.bytesRead, { ...describe(figures, bytesTotal, Date.now() - startedAt), note: "" });
    },
    note(message) {
      bar.update({ note: ` · ${message}` });
    },
    stop() {
      bar.stop();
    },
  };
}

function createLines(output: NodeJS.WriteStream, bytesTotal: number | undefined, startedAt: number): Progress {
  let lineAt = startedAt;
  let noteAt = 0;
  return {
    update(figures) {
      const now = Date.now();
      if (now - lineAt < lineEveryMs) return;
      lineAt = now;
      const { rows, rate, left } = describe(figures, bytesTotal, now - startedAt);
      const percent = bytesTotal ? ` · ${Math.floor((100 * figures.bytesRead) / bytesTotal)}% · ${left} left` : "";
      output.write(`${rows} rows · ${rate} rows/s · ${figures.rejected} rejected${percent}\n`);
    },
    note(message) {
      if (Date.now() - noteAt < lineEveryMs) return;
      noteAt = Date.now();
      output.write(`${message}\n`);
    },
    stop() {},
  };
}

/** Time left is judged from bytes read, because nobody knows the number of rows before the end. */
function describe({ rows, bytesRead }: ProgressFigures, bytesTotal: number | undefined, elapsedMs: number): { rows: number; rate: number; left: string } {
  const seconds = Math.max(0.001, elapsedMs / 1000);
  const left = bytesTotal && bytesRead > 0 ? formatDuration(((bytesTotal - bytesRead) / bytesRead) * seconds) : "?";
  return { rows, rate: Math.round(rows / seconds), left };
}

/** Seconds as people say them: `8 s`, `2 min 05 s`, `3 h 12 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}
