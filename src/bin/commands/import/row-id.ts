import { hash } from "node:crypto";
import type { JsonObject, JsonValue } from "../../../contracts/json.ts";

const shards = 64;

/**
 * Ids for rows whose mapping names no id fields: a hash of source and content, and the how-manieth such row of the file
 * this is. So two equal rows are two events, and importing the file again gives the same ids.
 *
 * Price: one entry for every distinct row of the file so far, 60 to 100 bytes each (up to 1 GB for 10 million rows). Two
 * different rows that share the counter's 48 bits only share their numbering; their ids differ by the full hash.
 */
export function createRowIds(source: string): (row: JsonObject) => string {
  // Several maps, because one holds at most 2^24 entries.
  const counts = Array.from({ length: shards }, () => new Map<number, number>());
  return function rowId(row) {
    const digest = hash("sha256", `${source}\n${canonicalJson(row)}`, "hex");
    const counter = Number.parseInt(digest.slice(0, 12), 16);
    const map = counts[counter % shards] as Map<number, number>;
    const occurrence = (map.get(counter) ?? 0) + 1;
    map.set(counter, occurrence);
    return `${digest}-${occurrence}`;
  };
}

/** JSON with the keys of every object in order, so that the order of columns or fields does not matter. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.keys(value).sort();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] as JsonValue)}`).join(",")}}`;
}
