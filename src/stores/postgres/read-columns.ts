/**
 * A column of all rows as one value: `array_agg(…)::text`, read by `numbersOf`, or `string_agg(…, '')` of bytes with their lengths,
 * read by `piecesOf`. For thousands of rows, of which the driver would make an object each, value by value. Null without rows.
 */
export type AggregatedNumbers = string | null;

/** Numbers and nothing else, in the order of the rows. */
export const numbersOf = (column: AggregatedNumbers): number[] => (column === null ? [] : (JSON.parse(`[${column.slice(1, -1)}]`) as number[]));

/** Values that contain neither a comma nor a quote, as numeric ones are written. */
export const wordsOf = (column: string | null): string[] => (column === null ? [] : column.slice(1, -1).split(","));

/** The pieces that were put together, none copied. */
export function piecesOf(all: Buffer | null, lengths: readonly number[]): Buffer[] {
  const none = Buffer.alloc(0);
  let end = 0;
  return lengths.map((length) => (all === null || length === 0 ? none : all.subarray(end, (end += length))));
}
