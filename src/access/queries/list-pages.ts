import type { LatePolicy } from "../../contracts/directory.ts";
import type { Queries } from "../../stores/postgres/db.ts";

/** Rows with a number above `after`, in order of it, and how many there are in all. */
export interface Page<Row> {
  rows: Row[];
  total: number;
  /** The number of the last row, when more follow. */
  next: number | undefined;
}

export interface TenantRow { id: number; name: string; created_at: Date }
export interface SourceRow { id: number; name: string; late_policy: LatePolicy; built_in: boolean; created_at: Date }
export interface KeyRow { id: number; name: string; admin: boolean; created_at: Date }

/** One row more than asked for tells whether more follow. */
function toPage<Row extends { id: number }>(found: Row[], total: number, limit: number): Page<Row> {
  const rows = found.slice(0, limit);
  return { rows, total, next: found.length > limit ? rows.at(-1)?.id : undefined };
}

async function countOf(state: Queries, from: string, values: unknown[] = []): Promise<number> {
  const [row] = await state.query<{ total: number }>(`select count(*)::integer as total from ${from}`, values);
  return row?.total ?? 0;
}

export async function listTenants(state: Queries, after: number, limit: number): Promise<Page<TenantRow>> {
  const rows = await state.query<TenantRow>(
    "select tenant_id as id, name, created_at from tenant where tenant_id > $1::bigint order by tenant_id limit $2", [after, limit + 1],
  );
  return toPage(rows, await countOf(state, "tenant"), limit);
}

export async function listSources(state: Queries, tenantId: number, after: number, limit: number): Promise<Page<SourceRow>> {
  const rows = await state.query<SourceRow>(
    `select source_id as id, name, late_policy, built_in, created_at from source
     where tenant_id = $1 and source_id > $2::bigint order by source_id limit $3`, [tenantId, after, limit + 1],
  );
  return toPage(rows, await countOf(state, "source where tenant_id = $1", [tenantId]), limit);
}

export async function listKeys(state: Queries, tenantId: number, after: number, limit: number): Promise<Page<KeyRow>> {
  const rows = await state.query<KeyRow>(
    `select key_id as id, name, admin, created_at from api_key
     where tenant_id = $1 and key_id > $2::bigint order by key_id limit $3`, [tenantId, after, limit + 1],
  );
  return toPage(rows, await countOf(state, "api_key where tenant_id = $1", [tenantId]), limit);
}
