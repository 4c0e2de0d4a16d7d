import { Packr } from "msgpackr";

const packr = new Packr({ useRecords: false });

/**
 * Segment number → transition number, of the segments a profile ever entered. A profile row keeps them as a MessagePack
 * array of pairs by segment number, and as no bytes at all when there is none.
 */
export type Transitions = Map<number, number>;

/** Entries and exits take turns, the first is an entry: after an odd number of them the profile is a member. */
export const isMember = (transition: number | undefined): boolean => (transition ?? 0) % 2 === 1;

export function unpackMemberships(bytes: Buffer): Transitions {
  return new Map(bytes.length === 0 ? [] : (packr.unpack(bytes) as [segment: number, transition: number][]));
}

export function packMemberships(transitions: Transitions): Buffer {
  return packr.pack([...transitions].sort(([a], [b]) => a - b));
}
