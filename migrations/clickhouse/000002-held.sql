--! owner: 2-window
-- Events that were accepted but not applied: quarantined (late) or dead-lettered (rejected). The newest row of a key counts.
create table if not exists events_held
(
  tenant        UInt32,
  event_key     UInt128,
  version       UInt64,
  state         LowCardinality(String) comment 'quarantined, rejected, replayed',
  reason        LowCardinality(String),
  detail        String,
  source        UInt32,
  event_id      String,
  name          LowCardinality(String),
  ts            DateTime64(3, 'UTC'),
  received_at   DateTime64(3, 'UTC'),
  log_partition UInt32,
  log_pos       UInt64,
  content_hash  UInt64,
  payload       String comment 'canonical event as JSON; first letter c = clear, s = sealed',
  expires_at    DateTime('UTC')
)
engine = ReplacingMergeTree(version)
order by (tenant, event_key)
ttl expires_at delete
settings fsync_after_insert = 1, fsync_part_directory = 1;
