import type { Queries } from "../../stores/postgres/db.ts";

interface NewKey {
  tenantId: number;
  /** Hexadecimal. */
  keyHash: string;
  name: string;
  admin: boolean;
  createdAt: number;
}

const insert = `
insert into api_key (tenant_id, key_hash, name, admin, created_at)
values ($1, decode($2, 'hex'), $3, $4, to_timestamp($5::float8 / 1000))
on conflict (tenant_id, key_hash) do update set name = excluded.name, admin = excluded.admin
returning key_id`;

/** The number of the key. One that is there already gets the name and the rights given now. */
export async function insertKey(state: Queries, { tenantId, keyHash, name, admin, createdAt }: NewKey): Promise<number> {
  const [row] = await state.query<{ key_id: number }>(insert, [tenantId, keyHash, name, admin, createdAt]);
  return row?.key_id ?? 0;
}
