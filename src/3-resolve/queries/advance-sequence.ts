import type { IdentityId } from "../../contracts/identity.ts";
import type { Queries } from "../../stores/postgres/db.ts";

/** Ids go on after `id`. The lock keeps other workers from taking ids, and from doing the same, in between. */
export async function advanceSequence(q: Queries, id: IdentityId): Promise<void> {
  await q.query("lock table identity in exclusive mode");
  await q.query("select setval('identity_id_seq', $1) from identity_id_seq where last_value < $1 or (last_value = $1 and not is_called)", [id]);
}
