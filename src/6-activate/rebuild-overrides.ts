import type { History } from "../stores/clickhouse/history.ts";
import type { Db } from "../stores/postgres/db.ts";

interface Member {
  tenant: number;
  identity: number;
  profile: number;
}

const pageRows = 50_000;

/** Fills the overrides of an empty history: the profile of every identity that is not its own, as older than whatever will be said about it. */
export async function rebuildOverrides({ db, history }: { db: Db; history: History }): Promise<void> {
  for (let last: Member | undefined, isFirst = true; last || isFirst; isFirst = false) {
    const page: Member[] = await db.query<Member>(
      `select tenant_id as tenant, identity_id as identity, profile_id as profile from identity
        where (tenant_id, identity_id) > ($1, $2) and profile_id <> identity_id order by tenant_id, identity_id limit $3`,
      [last?.tenant ?? 0, last?.identity ?? 0, pageRows],
    );
    await history.insert("identity_profile", page.map((row) => ({ ...row, version: 0 })));
    last = page.at(-1);
  }
}
