import type { IdentityId, ProfileId, Regrouping } from "../contracts/identity.ts";
import type { SystemEvent } from "../contracts/system-event.ts";
import type { PublicIds } from "../core/public-id.ts";
import type { History } from "../stores/clickhouse/history.ts";
import type { Db, Queries, Tx } from "../stores/postgres/db.ts";

interface Deps {
  db: Db;
  history: History;
  publicIds: PublicIds;
  membersOf(q: Queries, tenantId: number, profileIds: ProfileId[]): Promise<Map<ProfileId, IdentityId[]>>;
  /** Writes the system events that history does not have yet. */
  writeSystemEvents(events: SystemEvent[]): Promise<void>;
}

type Message =
  | { kind: "regrouped"; tenantId: number; payload: { profiles: ProfileId[] } }
  | { kind: "profile_merged"; tenantId: number; payload: { survivor: ProfileId; absorbed: ProfileId[]; ts: number; key: string } };
type OutboxRow = Message & { seq: number };

export interface Activate {
  /** Notes, inside the state transaction, what its regrouping must tell the outside; `seen` are absorbed profiles with a past. */
  enqueue(tx: Tx, regrouping: Regrouping, seen: { tenantId: number; profileId: ProfileId }[]): Promise<void>;
  /** Delivers waiting messages; resolves with how many. */
  drain(): Promise<number>;
}

const drainMax = 1000;

export function createActivate(deps: Deps): Activate {
  const { db } = deps;
  return {
    async enqueue(tx, regrouping, seen) {
      const messages = messagesOf(regrouping, new Set(seen.map((key) => `${key.tenantId}:${key.profileId}`)));
      if (messages.length === 0) return;
      await db.in(tx).query("insert into outbox (tenant_id, kind, payload) select * from unnest($1::int[], $2::text[], $3::jsonb[])", [
        messages.map((message) => message.tenantId),
        messages.map((message) => message.kind),
        messages.map((message) => JSON.stringify(message.payload)),
      ]);
    },
    async drain() {
      const rows = await db.query<OutboxRow>(
        'select seq, tenant_id as "tenantId", kind, payload from outbox order by seq limit $1',
        [drainMax],
      );
      if (rows.length === 0) return 0;
      await writeOverrides(deps, rows);
      await deps.writeSystemEvents(rows.flatMap((row) => (row.kind === "profile_merged" ? [mergedEvent(deps.publicIds, row)] : [])));
      await db.query("delete from outbox where (tenant_id, seq) in (select * from unnest($1::int[], $2::bigint[]))", [
        rows.map((row) => row.tenantId),
        rows.map((row) => row.seq),
      ]);
      return rows.length;
    },
  };
}

function messagesOf({ merged, refold }: Regrouping, seen: Set<string>): Message[] {
  const changed = new Map<number, Set<ProfileId>>();
  const note = (tenantId: number, profileId: ProfileId): void => {
    changed.set(tenantId, (changed.get(tenantId) ?? new Set()).add(profileId));
  };
  for (const { tenantId, survivor } of merged) note(tenantId, survivor);
  for (const { tenantId, profileId } of refold) note(tenantId, profileId);
  return [
    ...[...changed].map(([tenantId, profiles]): Message => ({ kind: "regrouped", tenantId, payload: { profiles: [...profiles] } })),
    ...merged.flatMap(({ tenantId, survivor, absorbed, cause }): Message[] => {
      const known = absorbed.filter((profileId) => seen.has(`${tenantId}:${profileId}`));
      return known.length === 0 ? [] : [{ kind: "profile_merged", tenantId, payload: { survivor, absorbed: known, ts: cause.ts, key: cause.key } }];
    }),
  ];
}

/** Tells history the present profile of every member; read now, so that a late delivery is true too. */
async function writeOverrides({ db, history, membersOf }: Deps, rows: OutboxRow[]): Promise<void> {
  for (const row of rows) {
    if (row.kind !== "regrouped") continue;
    const members = await membersOf(db, row.tenantId, row.payload.profiles);
    await history.insert(
      "identity_profile",
      [...members].flatMap(([profile, identities]) => identities.map((identity) => ({ tenant: row.tenantId, identity, profile, version: row.seq }))),
    );
  }
}

function mergedEvent(publicIds: PublicIds, row: OutboxRow & { kind: "profile_merged" }): SystemEvent {
  const { survivor, absorbed, ts, key } = row.payload;
  const shown = (id: ProfileId): string => publicIds.encode("profile", row.tenantId, id);
  return {
    tenantId: row.tenantId,
    seq: row.seq,
    identity: survivor,
    name: "profile_merged",
    eventId: `merge:${survivor}:${absorbed.join(",")}:${key}`,
    ts,
    properties: { profileId: shown(survivor), absorbedProfileIds: absorbed.map(shown) },
  };
}
