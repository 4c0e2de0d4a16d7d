import type { History } from "../../stores/clickhouse/history.ts";
import { readPart } from "./needed-files.ts";
import type { Chain } from "./read-chain.ts";

/** Fills the tables of a history database that has the backup's schema and no rows: held events, and all events of the chain. */
export async function restoreHistory(chain: Chain, history: History, told: (bytes: number) => void): Promise<void> {
  for (const part of ["held", "events"] as const) {
    for await (const { bytes, file, manifest } of readPart(chain, part)) {
      const columns = manifest.history.find(({ name }) => name === file.of)?.columns ?? [];
      await history.insertText(file.of, columns, bytes);
      told(file.bytes);
    }
  }
}
