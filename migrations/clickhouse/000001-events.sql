--! owner: 4-profile
create table if not exists events
(
  tenant        UInt32,
  identity      UInt64 comment 'the anchor: strongest identifier; 0 when the event has no usable one',
  ts            DateTime64(3, 'UTC'),
  event_key     UInt128,
  log_partition UInt32,
  log_pos       UInt64,
  source        UInt32,
  event_id      String,
  kind          LowCardinality(String),
  name          LowCardinality(String),
  received_at   DateTime64(3, 'UTC'),
  sent_at       Nullable(DateTime64(3, 'UTC')),
  session_id    String,
  late          Bool,
  historical    Bool,
  identities    Array(UInt64) comment 'all identities the event named, strongest first',
  properties    String comment 'JSON',
  context       String comment 'JSON, without ip',
  sealed        String comment 'personal part as JSON {identifiers, traits, ip}; first letter c = clear, s = sealed',
  money_role    LowCardinality(String),
  amount        Decimal(38, 6),
  currency      LowCardinality(String),
  order_id      String,
  emq           Float32,
  warnings      Array(LowCardinality(String)),
  content_hash  UInt64,
  projection by_name (select tenant, name, ts, identity, event_key, amount order by tenant, name, ts),
  projection by_key (select tenant, event_key, log_partition, log_pos, ts, content_hash order by event_key),
  projection by_position (select log_partition, log_pos order by log_partition, log_pos)
)
engine = ReplacingMergeTree
partition by toYear(ts)
order by (tenant, identity, ts, event_key)
settings deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild',
  fsync_after_insert = 1, fsync_part_directory = 1;
