--! owner: access
-- Every process holds tenants, sources and keys in memory; whoever changes them tells the others.
create function tell_access_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('tributary_access', '');
  return null;
end
$$;
create trigger tenant_changed after insert or update or delete on tenant for each statement execute function tell_access_changed();
create trigger source_changed after insert or update or delete on source for each statement execute function tell_access_changed();
create trigger api_key_changed after insert or update or delete on api_key for each statement execute function tell_access_changed();
