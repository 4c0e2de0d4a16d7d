import type { Queries } from "../../stores/postgres/db.ts";
import type { SourceDocument } from "../documents.ts";

const insert = `
insert into source (tenant_id, name, late_policy, write_key_hash, created_at)
values ($1, $2, $3, decode($4, 'hex'), to_timestamp($5::float8 / 1000))
on conflict (tenant_id, name) do nothing
returning source_id`;

/** The new source, or undefined when the tenant has one of that name. */
export async function insertSource(state: Queries, source: Omit<SourceDocument, "sourceId">): Promise<SourceDocument | undefined> {
  const { tenantId, name, latePolicy, writeKeyHash, createdAt } = source;
  const [row] = await state.query<{ source_id: number }>(insert, [tenantId, name, latePolicy, writeKeyHash, createdAt]);
  return row && { ...source, sourceId: row.source_id };
}
