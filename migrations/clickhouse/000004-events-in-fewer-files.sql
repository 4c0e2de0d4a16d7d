--! owner: 4-profile
-- What is asked by position is recent: the parts of the past are told by their range, without an order of their own that every merge makes anew.
alter table events drop projection if exists by_position;
alter table events add index if not exists by_position (log_pos) type minmax granularity 1;
-- A batch makes a part of few files, each of which is flushed; parts that were merged keep a file for each column.
alter table events modify setting min_bytes_for_wide_part = 100000000;
-- A merge holds a block of each column: of the 1 MB that is the default, some 80 MB together.
alter table events modify setting max_compress_block_size = 131072;
