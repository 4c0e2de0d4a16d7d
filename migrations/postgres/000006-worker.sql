--! owner: stores
-- Processes that work on a log's partitions. One that was not seen for the time of a lease counts for nothing.
create table worker (
  log_id     text not null,
  worker_id  text not null,
  seen_until timestamptz not null,
  primary key (log_id, worker_id)
);
