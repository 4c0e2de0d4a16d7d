--! owner: 6-activate
-- Overrides for identities whose profile is not their own: analytics group by identity first and map after.
create table if not exists identity_profile
(
  tenant   UInt32,
  identity UInt64,
  profile  UInt64,
  version  UInt64
)
engine = ReplacingMergeTree(version)
order by (tenant, identity)
settings fsync_after_insert = 1, fsync_part_directory = 1;
