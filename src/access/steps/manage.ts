import type { LatePolicy } from "../../contracts/directory.ts";
import type { Clock } from "../../core/clock.ts";
import { ApiError } from "../../core/errors.ts";
import type { Db } from "../../stores/postgres/db.ts";
import { apiKeyEntry, sourceEntry, type Entry, type SourceDocument } from "../documents.ts";
import { hashOfKey, newApiKey, newWriteKey } from "../keys.ts";
import { deleteKey } from "../queries/delete-key.ts";
import { insertKey } from "../queries/insert-key.ts";
import { insertSource } from "../queries/insert-source.ts";
import { insertTenant } from "../queries/insert-tenant.ts";

interface ManageDeps {
  state(): Db;
  clock: Clock;
  /** Makes committed documents known, mirror first, then memory. */
  publish(entries: Entry[]): Promise<void>;
  /** Makes a key unknown again. */
  revoke(keyHash: string): Promise<void>;
}

/** Creating and deleting: state commits first, then the mirror, then memory. A crash between is healed at the next start. */
export function createManage({ state, clock, publish, revoke }: ManageDeps) {
  return {
    async createTenant(name: string): Promise<{ tenantId: number; apiKey: string }> {
      const apiKey = newApiKey();
      const keyHash = hashOfKey(apiKey);
      const createdAt = clock.now();
      const db = state();
      const { tenantId, entries } = await db.transaction(async (tx) => {
        const created = await insertTenant(db.in(tx), name, createdAt);
        await insertKey(db.in(tx), { tenantId: created.tenantId, keyHash, name: "first", admin: false, createdAt });
        return created;
      });
      // The key comes last: it must not open a tenant whose sources are not known yet.
      await publish([...entries, apiKeyEntry({ tenantId, keyHash, admin: false })]);
      return { tenantId, apiKey };
    },

    async createSource(tenantId: number, name: string, latePolicy: LatePolicy): Promise<{ source: SourceDocument; writeKey: string }> {
      const writeKey = newWriteKey();
      const draft = { tenantId, name, latePolicy, builtIn: false, writeKeyHash: hashOfKey(writeKey), createdAt: clock.now() };
      const source = await insertSource(state(), draft);
      if (!source) throw new ApiError("conflict", "There is a source of this name already.");
      await publish([sourceEntry(source)]);
      return { source, writeKey };
    },

    async createKey(tenantId: number, name: string): Promise<{ keyId: number; apiKey: string; createdAt: number }> {
      const apiKey = newApiKey();
      const key = { tenantId, keyHash: hashOfKey(apiKey), name, admin: false, createdAt: clock.now() };
      const keyId = await insertKey(state(), key);
      await publish([apiKeyEntry({ tenantId, keyHash: key.keyHash, admin: false })]);
      return { keyId, apiKey, createdAt: key.createdAt };
    },

    async removeKey(tenantId: number, keyId: number, byAdmin: boolean): Promise<void> {
      const db = state();
      const deleted = await db.transaction((tx) => deleteKey(db.in(tx), tenantId, keyId, byAdmin));
      if ("keyHash" in deleted) return await revoke(deleted.keyHash);
      if (deleted.refused === "admin") throw new ApiError("forbidden", "Only an admin key may delete an admin key.");
      if (deleted.refused === "last") throw new ApiError("conflict", "This is the tenant's last key; create another one first.");
      throw new ApiError("not_found", "There is no such key.");
    },
  };
}
