--! owner: 4-profile
-- Fixed counters and one packed bytea; no index but the key, so that every update is HOT.
create table profile_hot (
  tenant_id      integer not null,
  profile_id     bigint not null,
  total_events   bigint not null,
  purchases      bigint not null,
  revenue        numeric(38, 6) not null,
  first_seen_ms  bigint not null,
  last_seen_ms   bigint not null,
  created_ms     bigint not null,
  updated_ms     bigint not null,
  version        bigint not null,
  -- MessagePack [[segment number, transition number], …] by segment number, empty for none: after an odd transition a member.
  memberships    bytea not null default '',
  -- Sessions, orders and revenue per currency, MessagePack.
  aggregates     bytea not null,
  primary key (tenant_id, profile_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- The last-write-wins document of traits that are not personal: {name: [value, ts, key]}.
create table profile_trait (
  tenant_id  integer not null,
  profile_id bigint not null,
  doc        text not null,
  primary key (tenant_id, profile_id)
) with (fillfactor = 85);

-- The same for personal traits. First byte 0 = clear, 1 = sealed.
create table profile_secret (
  tenant_id  integer not null,
  profile_id bigint not null,
  sealed     bytea not null,
  primary key (tenant_id, profile_id)
) with (fillfactor = 85);
