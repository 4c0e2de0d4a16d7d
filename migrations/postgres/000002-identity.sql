--! owner: 3-resolve
create sequence identity_id_seq as bigint;

-- One identifier of a tenant. tenant_id, identity_id, entity, kind, hash and created_at are written once.
create table identity (
  tenant_id   integer not null references tenant,
  identity_id bigint not null,
  entity      text not null,
  kind        text not null,
  -- sha256(pepper, kind, 0, normalised value)
  hash        bytea not null,
  -- The value: first byte 0 = clear, 1 = sealed under the identity's key. Null once erased.
  sealed      bytea,
  -- The identity that represents its profile; equal to identity_id for the representative itself.
  profile_id  bigint not null,
  -- Distinct partners of stronger kinds: above the kind's limit the identifier is shared and its links are void.
  partners    integer not null default 0,
  shared      boolean not null default false,
  -- A region too large to re-scan was frozen.
  frozen      boolean not null default false,
  created_at  timestamptz not null,

  -- Of the whole profile; they hold only in the row of the identity that represents it.
  -- The kinds among its members; null while it is alone.
  kinds       text[],
  -- The newest link at a member that is neither void nor manual: ts (7 bytes), event key (16), ord (2). Null without one.
  newest      bytea,

  primary key (tenant_id, identity_id),
  unique (tenant_id, entity, hash)
) with (fillfactor = 85);
create index identity_profile on identity (tenant_id, profile_id);

-- Every pair of identities that an event (or a person: manual) put together, with the smallest (ts, event key, ord) of it.
-- Links that were refused or are void stay: resolution is a function of the whole set.
create table link (
  tenant_id integer not null,
  a         bigint not null,
  b         bigint not null,
  manual    boolean not null default false,
  ts_ms     bigint not null,
  key       bytea not null,
  ord       smallint not null,
  primary key (tenant_id, a, b, manual),
  check (a < b)
);
create index link_b on link (tenant_id, b);

-- Pairs that must not be in one profile, until lifted.
create table kept_apart (
  tenant_id  integer not null,
  a          bigint not null,
  b          bigint not null,
  decided_ms bigint not null,
  primary key (tenant_id, a, b),
  check (a < b)
);
create index kept_apart_b on kept_apart (tenant_id, b);
