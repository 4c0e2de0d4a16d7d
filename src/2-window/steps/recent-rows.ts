import type { PipelineEvent, SeenEvent } from "../../contracts/pipeline-event.ts";
import { keyWord } from "../../core/event-key.ts";
import { createTwoGenerations } from "../../core/two-generations.ts";

/** Where history has the events that were written last: nearly every copy of an event follows it within seconds. */
export interface RecentRows {
  /** Notes rows that history has. */
  arrived(items: readonly PipelineEvent[]): void;
  /** Notes that history has no row of this key any more. */
  gone(key: string): void;
  /** The row of this key; undefined when it is not among the latest. */
  find(key: string): SeenEvent | undefined;
}

const keyLayout = { taken: 0, key: 1, words: 5 } as const;
/** Numbers are kept as the bits of a float: exact, and two words each. */
const rowLayout = { partition: 0, position: 2, contentHash: 4, words: 6 } as const;
const nowhere = -1;

/** At most `entriesMax` rows, 59 bytes each; surely the latest half of that. */
export function createRecentRows(entriesMax: number): RecentRows {
  const rows = createTwoGenerations(entriesMax, keyLayout.words, rowLayout.words);
  const words = new Uint32Array(keyLayout.words);
  const value = new Uint32Array(rowLayout.words);
  const row = new Float64Array(value.buffer);

  function point(key: string): void {
    words[keyLayout.taken] = 1;
    for (let n = 0; n < 4; n++) words[keyLayout.key + n] = keyWord(key, n);
  }
  function put(key: string, partition: number, position: number, contentHash: number): void {
    point(key);
    row[rowLayout.partition / 2] = partition;
    row[rowLayout.position / 2] = position;
    row[rowLayout.contentHash / 2] = contentHash;
    rows.set(words, value);
  }
  return {
    arrived(items) {
      for (const { key, partition, position, contentHash } of items) put(key, partition, position, contentHash);
    },
    gone: (key) => put(key, 0, nowhere, 0),
    find(key) {
      point(key);
      if (!rows.get(words, value)) return undefined;
      const [partition = 0, position = nowhere, contentHash = 0] = row;
      return position === nowhere ? undefined : { partition, position, contentHash, held: false };
    },
  };
}
