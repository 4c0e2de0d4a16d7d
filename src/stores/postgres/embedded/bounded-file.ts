import { appendFileSync, renameSync, statSync } from "node:fs";

/** A text file that never grows over `bytesMax`: the full one is kept once as `<path>.1`. Failing to write is not an error. */
export function createBoundedFile(path: string, bytesMax: number): (text: string) => void {
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return function append(text) {
    try {
      if (bytes + Buffer.byteLength(text) > bytesMax) {
        renameSync(path, `${path}.1`);
        bytes = 0;
      }
      appendFileSync(path, text, { mode: 0o600 });
      bytes += Buffer.byteLength(text);
    } catch {
      // A full disk must not take the database's supervisor down; the lines went to the log as well.
    }
  };
}
