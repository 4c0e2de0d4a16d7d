import pg from "pg";

const int8: number = 20;
const int8Array: number = 1016;

/** A bigint as a number where a number can hold it, else as its digits. */
function parseInt8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

type Nested = string | null | Nested[];

function parseEach(value: Nested): unknown {
  if (Array.isArray(value)) return value.map(parseEach);
  return value === null ? null : parseInt8(value);
}

const digitsOfArray = pg.types.getTypeParser(int8Array, "text") as (text: string) => Nested;
const parsersOfText = new Map<number, (text: string) => unknown>([
  [int8, parseInt8],
  [int8Array, (text) => parseEach(digitsOfArray(text))],
]);

/** How the driver turns columns into values: as by default, but bigints are numbers. numeric stays a string. */
export const valueParsers: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: "text" | "binary") {
    if (format === "binary") return pg.types.getTypeParser(oid, "binary");
    return parsersOfText.get(oid) ?? pg.types.getTypeParser(oid, "text");
  },
};
