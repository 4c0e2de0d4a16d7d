import type { Queries } from "../../stores/postgres/db.ts";

type Deleted = { keyHash: string } | { refused: "not_found" | "last" | "admin" };

interface KeyRow { key_id: number; key_hash: string; admin: boolean }

/**
 * Deletes a key of a tenant, to be run in a transaction. Refused: the tenant's last key, which would lock it out, and an
 * admin key unless `byAdmin`.
 */
export async function deleteKey(state: Queries, tenantId: number, keyId: number, byAdmin: boolean): Promise<Deleted> {
  // Two deletions at once must not each leave the other's key as the last one.
  await state.query("select 1 from tenant where tenant_id = $1 for update", [tenantId]);
  const keys = await state.query<KeyRow>("select key_id, encode(key_hash, 'hex') as key_hash, admin from api_key where tenant_id = $1", [tenantId]);
  const key = keys.find((one) => one.key_id === keyId);
  if (!key) return { refused: "not_found" };
  if (key.admin && !byAdmin) return { refused: "admin" };
  if (keys.length === 1) return { refused: "last" };
  await state.query("delete from api_key where tenant_id = $1 and key_id = $2", [tenantId, keyId]);
  return { keyHash: key.key_hash };
}
