import type { ClickHouseClient } from "@clickhouse/client";

const table = "write_probe";
/**
 * The table that was written to is full of parts, read-only or without space: a row into another table would say nothing about it.
 */
const outageCodes = new Set(["242", "243", "252"]);

export interface InsertWatch {
  /** Runs an insert and remembers how it ended. */
  watch(insert: () => Promise<unknown>): Promise<void>;
  /** Throws when the latest insert failed and a row of our own cannot be written either. */
  check(): Promise<void>;
}

/**
 * Tells an engine that cannot write from rows that it cannot take: it may go on answering `select 1` for long after its disk
 * is gone, and then good events must not be taken for bad ones.
 */
export async function watchInserts(client: ClickHouseClient): Promise<InsertWatch> {
  let latest: { error: unknown } | undefined;
  await client.command({ query: `create table if not exists ${table} (id UInt8) engine = ReplacingMergeTree order by id` });
  return {
    async watch(insert) {
      try {
        await insert();
        latest = undefined;
      } catch (error) {
        latest = { error };
        throw error;
      }
    },
    async check() {
      if (latest === undefined) return;
      if (isOutage(latest.error)) throw latest.error;
      await client.insert({ table, values: [{ id: 1 }], format: "JSONEachRow" });
    },
  };
}

const isOutage = (error: unknown): boolean => error instanceof Error && "code" in error && typeof error.code === "string" && outageCodes.has(error.code);
