const special = /[\\\t\n\r\b\f\0]/;
const specials = /[\\\t\n\r\b\f\0]/g;
const escapes: Record<string, string> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\0": "\\0" };

/** A text as a value of ClickHouse's TabSeparated format. */
export function tsvText(text: string): string {
  return special.test(text) ? text.replace(specials, (letter) => escapes[letter] as string) : text;
}

/** Texts as an array within such a line. */
export function tsvTexts(values: readonly string[]): string {
  return `[${values.map((value) => `'${tsvText(value).replaceAll("'", "\\'")}'`).join(",")}]`;
}

let prefixSecond = NaN;
let prefix = "";

/** A time (ms) as DateTime64(3) of UTC reads it: a bare number would mean seconds to it before 2001 and milliseconds after. */
export function tsvTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== prefixSecond) {
    prefixSecond = second;
    prefix = new Date(second * 1000).toISOString().slice(0, 19).replace("T", " ");
  }
  const rest = ms - second * 1000;
  return `${prefix}.${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}`;
}
