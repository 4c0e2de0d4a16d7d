import { open } from "lmdb";
import type { RootDatabase } from "lmdb";

/** A value's key: symbols sort before numbers, numbers among themselves by value, strings after both. */
export type EnvironmentKey = symbol | number | string;
export type EnvironmentDb = RootDatabase<Uint8Array, EnvironmentKey>;

/** One LMDB environment with one database of bytes. */
export interface Environment {
  /** For reads. What it answers is copied out of the memory map. */
  db(): EnvironmentDb;
  /**
   * Runs the puts and removes of `fill` as one transaction; resolves once it is on disk and rejects when it could not be brought
   * there, and then nothing of it is kept. `fill` must not throw half-way: what it had put before would be committed.
   */
  write(fill: (db: EnvironmentDb) => Promise<boolean>[]): Promise<void>;
  /** Closes and opens again. Needed after a failed write: LMDB may never answer another one. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** LMDB says why a commit failed in a second promise, which nobody else listens to. */
async function findCause(error: unknown): Promise<unknown> {
  const cause = (error as { commitError?: Promise<never> }).commitError;
  return cause === undefined ? error : cause.catch((reason: unknown) => reason);
}

/** Opens or creates the environment in directory `path`. `mapSizeBytes` is address space, not disk, and no limit. */
export function openEnvironment(path: string, mapSizeBytes: number): Environment {
  // With overlappingSync the flush is a promise of its own, `flushed`, that never settles when flushing fails. Without it a put
  // resolves when it is on disk and rejects otherwise, for the same two synced writes a transaction; only transactions that
  // overlap gain from the former, and here they follow each other.
  const openDb = (): EnvironmentDb => open<Uint8Array, EnvironmentKey>({
    path, encoding: "binary", noSubdir: false, mapSize: mapSizeBytes, overlappingSync: false, eventTurnBatching: false,
  });
  let current = openDb();
  let isOpen = true;

  function db(): EnvironmentDb {
    if (!isOpen) throw new Error(`${path} is closed`);
    return current;
  }

  async function close(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    await current.close();
  }

  return {
    db,
    close,
    async write(fill) {
      const target = db();
      try {
        let writes: Promise<boolean>[] = [];
        const batch = target.batch(() => { writes = fill(target); });
        writes.push(batch);
        const kept = await Promise.all(writes);
        if (kept.includes(false)) throw new Error("a key was there already: does another process write here?");
      } catch (error) {
        throw new Error(`cannot write to ${path}`, { cause: await findCause(error) });
      }
    },
    async reopen() {
      await close();
      current = openDb();
      isOpen = true;
    },
  };
}
