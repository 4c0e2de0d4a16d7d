const table = "write_probe";
/** The table that was written to is full of parts, read-only or without space: a row into another table would say nothing about it. */
const outageCodes = new Set(["242", "243", "252"]);

interface Writing {
  define(statement: string): Promise<void>;
  insert(table: string, rows: object[]): Promise<void>;
}

/** So many that every shard of a cluster has to take some. */
const probes = Array.from({ length: 64 }, (_, id) => ({ id }));

export interface InsertWatch {
  /** Runs an insert; one that fails raises doubt, one that succeeds ends it. */
  insert<T>(work: () => Promise<T>): Promise<T>;
  /** Runs a query; one that fails raises doubt. */
  query<T>(work: () => Promise<T>): Promise<T>;
  /** Throws when there is doubt and a row of our own cannot be written either. */
  check(): Promise<void>;
}

/**
 * Tells an engine that cannot work from rows that it cannot take: it may go on answering `select 1` for long after its disk
 * is gone, and then good events must not be taken for bad ones.
 */
export async function watchInserts({ define, insert }: Writing): Promise<InsertWatch> {
  let doubt: { error: unknown } | undefined;
  await define(`create table if not exists ${table} (id UInt8) engine = ReplacingMergeTree order by id`);
  async function watch<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      doubt = { error };
      throw error;
    }
  }
  return {
    query: watch,
    async insert(work) {
      const answer = await watch(work);
      doubt = undefined;
      return answer;
    },
    async check() {
      if (doubt === undefined) return;
      if (isOutage(doubt.error)) throw doubt.error;
      await insert(table, probes);
      doubt = undefined;
    },
  };
}

const isOutage = (error: unknown): boolean => error instanceof Error && "code" in error && typeof error.code === "string" && outageCodes.has(error.code);
