import type { BackupPlan } from "../../contracts/backup.ts";
import type { History } from "../../stores/clickhouse/history.ts";
import type { Queries } from "../../stores/postgres/db.ts";

const applied = "select version, name, checksum from schema_migration order by version";

/** Which migrations both databases ran. */
export const readMigrationsOf = async (state: Queries, history: History): Promise<BackupPlan["migrations"]> =>
  ({ postgres: await state.query(applied), clickhouse: await history.query(applied) });
