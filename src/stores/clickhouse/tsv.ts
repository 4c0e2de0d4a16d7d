/** Lines of ClickHouse's TabSeparated format, written straight into bytes. */
export interface TsvWriter {
  /** A piece of a line as it is, tabs and line ends included. */
  raw(text: string): void;
  /** JSON in UTF-8, `bytes` from one place to another, as a value; `whenNone` stands for no bytes at all. */
  json(bytes: Uint8Array, from: number, to: number, whenNone: string): void;
  bytes(): Buffer;
}

const utf8BytesMax = 3;
const backslash = 0x5c;

export function createTsvWriter(bytesUsual: number): TsvWriter {
  let buffer = Buffer.allocUnsafe(Math.max(1024, bytesUsual));
  let end = 0;
  function reserve(more: number): void {
    if (end + more <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(end + more, buffer.length * 2));
    buffer.copy(larger, 0, 0, end);
    buffer = larger;
  }
  function raw(text: string): void {
    reserve(text.length * utf8BytesMax);
    end += buffer.write(text, end, "utf8");
  }
  return {
    raw,
    json(bytes, from, to, whenNone) {
      if (from >= to) return raw(whenNone);
      reserve((to - from) * 2);
      // JSON has no raw control characters, so that nothing else needs escaping.
      for (let at = from; at < to; at++) {
        const byte = bytes[at] as number;
        if (byte === backslash) buffer[end++] = backslash;
        buffer[end++] = byte;
      }
    },
    bytes: () => buffer.subarray(0, end),
  };
}

const special = /[\\\t\n\r\b\f\0]/;
const specials = /[\\\t\n\r\b\f\0]/g;
const escapes: Record<string, string> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\0": "\\0" };

/** A text as a value of the format. */
export function tsvText(text: string): string {
  return special.test(text) ? text.replace(specials, (letter) => escapes[letter] as string) : text;
}

/** Texts as an array within a line. */
export function tsvTexts(values: readonly string[]): string {
  return values.length === 0 ? "[]" : `[${values.map((value) => `'${tsvText(value).replaceAll("'", "\\'")}'`).join(",")}]`;
}

const secondsKept = 256;
const keptSeconds = new Float64Array(secondsKept).fill(NaN);
const keptTexts = new Array<string>(secondsKept).fill("");

/** A time (ms) as DateTime64(3) of UTC reads it: a bare number would mean seconds to it before 2001 and milliseconds after. */
export function tsvTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  const slot = ((second % secondsKept) + secondsKept) % secondsKept;
  if (keptSeconds[slot] !== second) {
    keptSeconds[slot] = second;
    keptTexts[slot] = new Date(second * 1000).toISOString().slice(0, 19).replace("T", " ");
  }
  const rest = ms - second * 1000;
  return `${keptTexts[slot]}.${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}`;
}
