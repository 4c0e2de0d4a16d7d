import type { Clock } from "../../core/clock.ts";
import type { Db, Queries } from "../../stores/postgres/db.ts";
import { hashOfKey, newApiKey } from "../keys.ts";
import { insertDefaultTenant } from "../queries/insert-tenant.ts";
import { insertKey } from "../queries/insert-key.ts";

/** Marks the key that the setting made, so that changing the setting takes the old key back. */
const settingName = "TRIBUTARY_ADMIN_KEY";

export interface BootstrapOptions {
  /** Becomes an admin key of `default`; the one set before stops to work. */
  adminKey?: string;
  /** Keeps a newly made key for its owner. Called before the key is valid, so that no key is valid that nobody has. */
  keepAdminKey?(key: string): Promise<void>;
}

interface BootstrapDeps {
  state(): Db;
  clock: Clock;
}

async function hasAdminKey(state: Queries): Promise<boolean> {
  const keys = await state.query("select 1 from api_key where tenant_id = 1 and admin");
  return keys.length > 0;
}

async function setAdminKey(state: Queries, key: string, createdAt: number): Promise<void> {
  const keyHash = hashOfKey(key);
  const elsewhere = await state.query(
    `select 1 from api_key where key_hash = decode($1, 'hex') and tenant_id <> 1
     union all select 1 from source where write_key_hash = decode($1, 'hex')`, [keyHash],
  );
  if (elsewhere.length > 0) throw new Error(`${settingName} is already the key of another tenant or of a source`);
  await state.query("delete from api_key where tenant_id = 1 and admin and name = $1 and key_hash <> decode($2, 'hex')", [settingName, keyHash]);
  await insertKey(state, { tenantId: 1, keyHash, name: settingName, admin: true, createdAt });
}

/**
 * What must exist before anything can be called: tenant `default` with its sources and an admin key. Running it again
 * changes nothing. Answers the admin key when it had to make one.
 */
export function createBootstrap({ state, clock }: BootstrapDeps) {
  return async function bootstrap({ adminKey, keepAdminKey }: BootstrapOptions): Promise<{ adminKey?: string }> {
    const db = state();
    const made = adminKey === undefined && !(await hasAdminKey(db)) ? newApiKey() : undefined;
    if (made !== undefined) await keepAdminKey?.(made);
    await db.transaction(async (tx) => {
      const queries = db.in(tx);
      const createdAt = clock.now();
      await insertDefaultTenant(queries, createdAt);
      if (adminKey !== undefined) await setAdminKey(queries, adminKey, createdAt);
      if (made !== undefined) await insertKey(queries, { tenantId: 1, keyHash: hashOfKey(made), name: "bootstrap", admin: true, createdAt });
    });
    return made === undefined ? {} : { adminKey: made };
  };
}
