--! owner: 6-activate
-- What must leave the state database, written in the transaction that caused it and drained by 6-activate.
create table outbox (
  tenant_id integer not null,
  seq       bigint not null generated always as identity,
  kind      text not null,
  payload   jsonb not null,
  primary key (tenant_id, seq)
);
create index outbox_order on outbox (seq);
