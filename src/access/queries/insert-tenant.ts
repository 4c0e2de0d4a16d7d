import type { LatePolicy } from "../../contracts/directory.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { sourceEntry, tenantEntry, type Entry, type SourceDocument, type TenantDocument } from "../documents.ts";

/** The sources every tenant has, by the routes they stand behind; their numbers are the same everywhere. */
const builtIn: { sourceId: number; name: string; latePolicy: LatePolicy }[] = [
  { sourceId: 1, name: "stream", latePolicy: "quarantine" },
  { sourceId: 2, name: "api", latePolicy: "apply" },
  { sourceId: 3, name: "import", latePolicy: "apply" },
];

const insertSources = `
insert into source (tenant_id, source_id, name, late_policy, built_in, created_at)
select $1, given.source_id, given.name, given.late_policy, true, to_timestamp($2::float8 / 1000)
from unnest($3::integer[], $4::text[], $5::text[]) as given (source_id, name, late_policy)
on conflict (tenant_id, source_id) do nothing`;

/** The built-in sources of a tenant, where they are missing. */
async function insertBuiltInSources(state: Queries, tenantId: number, createdAt: number): Promise<SourceDocument[]> {
  const columns = [builtIn.map((one) => one.sourceId), builtIn.map((one) => one.name), builtIn.map((one) => one.latePolicy)];
  await state.query(insertSources, [tenantId, createdAt, ...columns]);
  return builtIn.map((one) => ({ ...one, tenantId, builtIn: true, writeKeyHash: null, createdAt }));
}

/** Tenant number 1, where it is missing. */
export async function insertDefaultTenant(state: Queries, createdAt: number): Promise<void> {
  await state.query(
    "insert into tenant (tenant_id, name, created_at) values (1, 'default', to_timestamp($1::float8 / 1000)) on conflict do nothing", [createdAt],
  );
  await insertBuiltInSources(state, 1, createdAt);
}

/** A tenant with its built-in sources, as documents of the mirror. */
export async function insertTenant(state: Queries, name: string, createdAt: number): Promise<{ tenantId: number; entries: Entry[] }> {
  const [row] = await state.query<{ tenant_id: number }>(
    "insert into tenant (name, created_at) values ($1, to_timestamp($2::float8 / 1000)) returning tenant_id", [name, createdAt],
  );
  const tenantId = row?.tenant_id ?? 0;
  const tenant: TenantDocument = { tenantId, name, settings: {}, createdAt };
  const sources = await insertBuiltInSources(state, tenantId, createdAt);
  return { tenantId, entries: [tenantEntry(tenant), ...sources.map(sourceEntry)] };
}
