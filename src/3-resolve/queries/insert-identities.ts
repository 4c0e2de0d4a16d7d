import { byteas, float8s, int4s, texts } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import type { IdentityName, NamedIdentity } from "./find-by-hash.ts";

export interface NewIdentity extends IdentityName {
  kind: string;
  value: string;
  /** ms */
  createdAt: number;
}

/**
 * Inserts identities, each its own profile, and answers with those that were inserted: another transaction may have been
 * faster with some, and this one then waited for its end. Numbers follow the order given; rows go in by hash, so that two
 * transactions with the same people wait for each other and do not deadlock.
 */
export async function insertIdentities(q: Queries, identities: readonly NewIdentity[]): Promise<NamedIdentity[]> {
  const rows = await q.query<{ tenantId: number; entity: string; hash: Buffer; identityId: number }>(
    `with numbered as materialized (
       select n.*, nextval('identity_id_seq') as identity_id
         from unnest($1::int[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::float8[]) n (tenant_id, entity, kind, hash, sealed, created_ms)
     )
     insert into identity (tenant_id, identity_id, entity, kind, hash, sealed, profile_id, created_at)
     select tenant_id, identity_id, entity, kind, hash, sealed, identity_id, to_timestamp(created_ms / 1000)
       from numbered order by tenant_id, entity, hash
     on conflict do nothing
     returning tenant_id as "tenantId", entity, hash, identity_id as "identityId"`,
    [
      int4s(identities.map((i) => i.tenantId)), texts(identities.map((i) => i.entity)), texts(identities.map((i) => i.kind)),
      byteas(identities.map((i) => i.hash)), byteas(identities.map((i) => sealedClear(i.value))), float8s(identities.map((i) => i.createdAt)),
    ],
  );
  return rows.map((row) => ({ ...row, hash: row.hash.toString("latin1") }));
}

/** First byte 0: the value follows in the clear. */
const sealedClear = (value: string): Buffer => Buffer.concat([Buffer.of(0), Buffer.from(value)]);
