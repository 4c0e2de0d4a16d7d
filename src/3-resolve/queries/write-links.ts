import { bools, byteas, int4s, int8s } from "../../stores/postgres/columns.ts";
import type { Queries } from "../../stores/postgres/db.ts";
import type { TenantLink } from "../steps/tenant-link.ts";

/** Records links. One that is on record is replaced: the caller holds the locks of its ends and knows that this one is earlier. */
export async function writeLinks(q: Queries, links: readonly TenantLink[]): Promise<void> {
  await q.query(
    `insert into link (tenant_id, a, b, manual, ts_ms, key, ord)
     select tenant_id, a, b, manual, ts_ms, key, ord::smallint from unnest($1::int[], $2::bigint[], $3::bigint[], $4::boolean[], $5::bigint[], $6::bytea[], $7::int[]) n (tenant_id, a, b, manual, ts_ms, key, ord)
     on conflict (tenant_id, a, b, manual) do update set ts_ms = excluded.ts_ms, key = excluded.key, ord = excluded.ord`,
    [
      int4s(links.map((l) => l.tenantId)), int8s(links.map((l) => l.a)), int8s(links.map((l) => l.b)), bools(links.map((l) => l.manual)),
      int8s(links.map((l) => l.ts)), byteas(links.map((l) => Buffer.from(l.key, "hex"))), int4s(links.map((l) => l.ord)),
    ],
  );
}
