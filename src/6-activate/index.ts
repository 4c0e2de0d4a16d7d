import { hash } from "node:crypto";
import type { Reached } from "../contracts/commit-step.ts";
import type { IdentityId, ProfileId, Regrouping } from "../contracts/identity.ts";
import type { SegmentChanged } from "../contracts/segment.ts";
import type { SystemEvent } from "../contracts/system-event.ts";
import type { PublicIds } from "../core/public-id.ts";
import type { History } from "../stores/clickhouse/history.ts";
import type { Db, Queries, Tx } from "../stores/postgres/db.ts";

export { rebuildOverrides } from "./rebuild-overrides.ts";

interface Deps {
  db: Db;
  history: History;
  publicIds: PublicIds;
  membersOf(q: Queries, tenantId: number, profileIds: ProfileId[]): Promise<Map<ProfileId, IdentityId[]>>;
  /** Writes the system events that history does not have yet. */
  writeSystemEvents(events: SystemEvent[]): Promise<void>;
  reached: Reached;
}

type Message =
  | { kind: "regrouped"; tenantId: number; payload: { profiles: ProfileId[] } }
  | { kind: "profile_merged"; tenantId: number; payload: { survivor: ProfileId; absorbed: ProfileId[]; ts: number; key: string } }
  | { kind: "segment_changed"; tenantId: number; payload: Omit<SegmentChanged, "tenantId"> };
type OutboxRow = Message & { seq: number };

/** What a state transaction did. */
export interface Changed {
  regrouping: Regrouping;
  /** Absorbed profiles that had events before. */
  absorbed: { tenantId: number; profileId: ProfileId }[];
  segmentChanges: SegmentChanged[];
}

export interface Activate {
  /** Notes, inside the state transaction, what of it must be told to the outside. */
  enqueue(tx: Tx, changed: Changed): Promise<void>;
  /** Delivers waiting messages; resolves with how many. */
  drain(): Promise<number>;
}

const drainMax = 1000;

export function createActivate(deps: Deps): Activate {
  const { db } = deps;
  return {
    async enqueue(tx, { regrouping, absorbed, segmentChanges }) {
      const seen = new Set(absorbed.map((key) => `${key.tenantId}:${key.profileId}`));
      const messages = [...regroupingMessages(regrouping, seen), ...segmentChanges.map(segmentMessage)];
      if (messages.length === 0) return;
      await db.in(tx).query("insert into outbox (tenant_id, kind, payload) select * from unnest($1::int[], $2::text[], $3::jsonb[])", [
        messages.map((message) => message.tenantId),
        messages.map((message) => message.kind),
        messages.map((message) => JSON.stringify(message.payload)),
      ]);
    },
    async drain() {
      // Nearly always there is nothing: no transaction for that.
      const waiting = await db.query("select from outbox limit 1");
      return waiting.length === 0 ? 0 : await db.transaction((tx) => drainSome(deps, db.in(tx)));
    },
  };
}

/** Messages stay locked until they are delivered: several processes deliver side by side, each message once. */
async function drainSome(deps: Deps, q: Queries): Promise<number> {
  const rows = await q.query<OutboxRow>(
    'select seq, tenant_id as "tenantId", kind, payload from outbox order by seq limit $1 for update skip locked',
    [drainMax],
  );
  if (rows.length === 0) return 0;
  await writeOverrides(deps, q, rows);
  await deps.writeSystemEvents(rows.flatMap((row) => systemEvent(deps.publicIds, row) ?? []));
  await deps.reached("outbox-delivered", []);
  // By the numbers as they are: joined with a list, a table that was just empty is read once per message.
  await q.query("delete from outbox where tenant_id = any($1) and seq = any($2)", [
    [...new Set(rows.map((row) => row.tenantId))],
    rows.map((row) => row.seq),
  ]);
  await deps.reached("outbox-emptied", []);
  return rows.length;
}

function regroupingMessages({ merged, refold }: Regrouping, seen: Set<string>): Message[] {
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

const segmentMessage = ({ tenantId, ...payload }: SegmentChanged): Message => ({ kind: "segment_changed", tenantId, payload });

/**
 * Tells history the present profile of every member, in one insert; read now, so that a late delivery is true too. The version is taken
 * before it is read: numbers of messages will not do, because those of several workers are committed in another order than they count.
 */
async function writeOverrides({ db, history, membersOf }: Deps, q: Queries, rows: OutboxRow[]): Promise<void> {
  const [next] = await q.query<{ version: number }>("select nextval(pg_get_serial_sequence('outbox', 'seq')) as version");
  const version = Number(next?.version);
  const overrides: object[] = [];
  for (const [tenant, own] of Map.groupBy(rows, (row) => row.tenantId)) {
    const profiles = new Set(own.flatMap((row) => (row.kind === "regrouped" ? row.payload.profiles : [])));
    const members = profiles.size === 0 ? new Map<ProfileId, IdentityId[]>() : await membersOf(db, tenant, [...profiles]);
    for (const [profile, identities] of members) {
      for (const identity of identities) overrides.push({ tenant, identity, profile, version });
    }
  }
  await history.insert("identity_profile", overrides);
}

/** What a message puts into a profile's timeline, if anything. */
function systemEvent(publicIds: PublicIds, row: OutboxRow): SystemEvent | undefined {
  switch (row.kind) {
    case "regrouped":
      return undefined;
    case "profile_merged":
      return mergedEvent(publicIds, row);
    case "segment_changed":
      return segmentEvent(publicIds, row);
  }
}

function segmentEvent(publicIds: PublicIds, row: OutboxRow & { kind: "segment_changed" }): SystemEvent {
  const { profileId, segment, number, entered, transition, ts } = row.payload;
  return {
    tenantId: row.tenantId,
    seq: row.seq,
    identity: profileId,
    name: `${segment} ${entered ? "ENTER" : "EXIT"}`,
    // The number of the message as well: a profile that was absorbed and falls apart again counts its transitions from 1.
    eventId: idOf("seg-evt", number, profileId, transition, row.seq),
    ts,
    properties: { segmentId: publicIds.encode("segment", row.tenantId, number), segment },
  };
}

function mergedEvent(publicIds: PublicIds, row: OutboxRow & { kind: "profile_merged" }): SystemEvent {
  const { survivor, absorbed, ts, key } = row.payload;
  const shown = (id: ProfileId): string => publicIds.encode("profile", row.tenantId, id);
  return {
    tenantId: row.tenantId,
    seq: row.seq,
    identity: survivor,
    name: "profile_merged",
    eventId: idOf("merge", survivor, absorbed.join(","), key),
    ts,
    properties: { profileId: shown(survivor), absorbedProfileIds: absorbed.map(shown) },
  };
}

/** Made of what happened, so that a second delivery has the same id; hashed, because our numbers are nobody's business. */
const idOf = (prefix: string, ...parts: (string | number)[]): string => `${prefix}-${hash("sha256", parts.join(":"), "hex").slice(0, 24)}`;
