import type { HistoryTable, Mark } from "../../contracts/backup.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import { sliceHistory, type Slice } from "../slice-history.ts";

export async function describeTable(history: History, name: string): Promise<HistoryTable> {
  const columns = await history.query<{ name: string; type: string }>(
    "select name, type from system.columns where database = currentDatabase() and table = {name:String} and default_kind = '' order by position", { name },
  );
  return { name, columns: columns.map((column) => [column.name, column.type]) };
}

const namesOf = ({ columns }: HistoryTable): string => columns.map(([name]) => name).join(", ");

export async function countEvents(history: History, { where, params }: Slice): Promise<number> {
  const [row] = await history.query<{ n: number }>(`select count() n from events where ${where}`, params);
  return row?.n ?? 0;
}

export const streamEvents = (history: History, table: HistoryTable, { where, params }: Slice): AsyncIterable<Uint8Array> =>
  history.streamText(`select ${namesOf(table)} from events where ${where} settings max_threads = 1`, params);

/**
 * The newest row of each held event, if it is one that state knows, or says that the event was replayed. Versions are made of
 * positions of the log, and a restored place has a new log: of them only the order of hold and replay is kept.
 */
export function streamHeld(history: History, table: HistoryTable, marks: readonly Mark[]): AsyncIterable<Uint8Array> {
  const { where, params } = sliceHistory([], marks);
  const columns = table.columns.map(([name]) => (name === "version" ? "version % 2" : name)).join(", ");
  return history.streamText(`select ${columns} from events_held final where state = 'replayed' or ${where} settings max_threads = 1`, params);
}
