import type { JsonObject, JsonValue } from "../../contracts/json.ts";
import type { LatePolicy } from "../../contracts/directory.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import { apiKeyEntry, sourceEntry, tenantEntry } from "../documents.ts";

interface TenantRow { tenant_id: number; name: string; settings: JsonObject; created_at: Date }
interface SourceRow {
  tenant_id: number; source_id: number; name: string; late_policy: LatePolicy; built_in: boolean; write_key_hash: string | null; created_at: Date;
}
interface KeyRow { tenant_id: number; key_hash: string; admin: boolean }

/** Everything the directory holds, as documents of the mirror. */
export async function readDocuments(state: Queries): Promise<Map<string, JsonValue>> {
  const tenants = await state.query<TenantRow>("select tenant_id, name, settings, created_at from tenant");
  const sources = await state.query<SourceRow>(
    "select tenant_id, source_id, name, late_policy, built_in, encode(write_key_hash, 'hex') as write_key_hash, created_at from source",
  );
  const keys = await state.query<KeyRow>("select tenant_id, encode(key_hash, 'hex') as key_hash, admin from api_key");
  return new Map<string, JsonValue>([
    ...tenants.map((row) => tenantEntry({ tenantId: row.tenant_id, name: row.name, settings: row.settings, createdAt: row.created_at.getTime() })),
    ...sources.map((row) => sourceEntry({
      tenantId: row.tenant_id, sourceId: row.source_id, name: row.name, latePolicy: row.late_policy, builtIn: row.built_in,
      writeKeyHash: row.write_key_hash, createdAt: row.created_at.getTime(),
    })),
    ...keys.map((row) => apiKeyEntry({ tenantId: row.tenant_id, keyHash: row.key_hash, admin: row.admin })),
  ]);
}
