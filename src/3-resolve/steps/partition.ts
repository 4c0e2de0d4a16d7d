/** A set of numbers that knows them. */
export interface Part {
  members: number[];
}

/** Disjoint sets. `of` is one look-up; `join` re-points the smaller set, so that n joins cost n log n. */
export interface Partition<P extends Part> {
  add(part: P): void;
  of(member: number): P | undefined;
  /** Joins two different parts; `absorb` carries over what they hold besides members. Answers the part that stays. */
  join(left: P, right: P): P;
  parts(): P[];
}

export function createPartition<P extends Part>(absorb: (into: P, from: P) => void): Partition<P> {
  const partOf = new Map<number, P>();
  return {
    add(part) {
      for (const member of part.members) partOf.set(member, part);
    },
    of: (member) => partOf.get(member),
    join(left, right) {
      const [into, from] = left.members.length >= right.members.length ? [left, right] : [right, left];
      for (const member of from.members) {
        partOf.set(member, into);
        into.members.push(member);
      }
      absorb(into, from);
      return into;
    },
    parts: () => [...new Set(partOf.values())],
  };
}
