--! owner: 3-resolve
-- The check of a reference costs as much as the row, and locks the tenant's row each time. Tenants come from keys, and none is deleted beneath its events.
alter table identity drop constraint if exists identity_tenant_id_fkey;
