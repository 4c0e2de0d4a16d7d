import type { Link } from "../../contracts/link-rule.ts";

/** Place of an event's link in the order of decisions: (ts, key, ord) as text that compares like the triple. */
export function placeOf(link: { ts: number; key: string; ord: number }): string {
  return link.ts.toString(16).padStart(14, "0") + link.key + link.ord.toString(16).padStart(4, "0");
}

/** Sorted in the order of decisions: manual links first, then the others, each by (ts, key, ord). */
export function orderLinks<L extends Link>(links: readonly L[]): L[] {
  return links
    .map((link) => ({ link, place: (link.manual ? "0" : "1") + placeOf(link) }))
    .sort((x, y) => (x.place < y.place ? -1 : x.place > y.place ? 1 : x.link.a - y.link.a || x.link.b - y.link.b))
    .map(({ link }) => link);
}
