import type { ReferenceProfile } from "../reference-model.ts";
import { publicIds, type Tenant } from "./open-tenant.ts";

const lookupsMax = 60;

/** Identifiers that do not lead to the profile that has them, or that two profiles have. */
export async function checkLookups({ client }: Tenant, profiles: ReadonlyMap<string, ReferenceProfile>): Promise<object[]> {
  const owners = [...profiles].flatMap(([id, { identifiers }]) => identifiers.map((name) => ({ id, name })));
  const several = [...Map.groupBy(owners, ({ name }) => name)].filter(([, own]) => own.length > 1).map(([name]) => ({ name, has: "several profiles" }));
  const every = Math.max(1, Math.floor(owners.length / lookupsMax));
  const astray: object[] = [];
  for (const { id, name } of owners.filter((_, i) => i % every === 0)) {
    const [type = "", value = ""] = name.slice("person ".length).split(/:(.*)/);
    const found = await client.lookup(type, value);
    if (found?.id !== id) astray.push({ name, should: id, is: found?.id });
  }
  return [...several, ...astray];
}

/** Numbers of profiles that somebody else had before, in this tenant or in another. `numbers` is kept over the whole run. */
export function checkNumbers({ tenantId, name }: Tenant, profiles: ReadonlyMap<string, ReferenceProfile>, numbers: Map<number, string>): object[] {
  return [...profiles].flatMap(([id, { identifiers }]): object[] => {
    const number = publicIds.decode("profile", tenantId, id);
    if (number === undefined) return [{ id, is: "no id of this tenant" }];
    const holder = `${name} ${identifiers.join()}`;
    const known = numbers.get(number);
    numbers.set(number, holder);
    return known === undefined || known === holder || known.startsWith(`${name} `) ? [] : [{ number, first: known, then: holder }];
  });
}

const strangersMax = 5;

/** What one tenant can get of another's: its profiles by their ids, and their events. */
export async function checkStrangers({ name, client }: Tenant, others: readonly Tenant[]): Promise<object[]> {
  const seen: object[] = [];
  for (const other of others) {
    const rows = await other.client.read<{ profileId: string }[]>(`/api/cdp/events?limit=${strangersMax}`);
    for (const { profileId } of rows) {
      for (const path of [`/api/cdp/profiles/${profileId}`, `/api/cdp/profiles/${profileId}/timeline`, `/api/cdp/events?profileId=${profileId}`]) {
        const { status } = await client.get(path);
        if (status !== 404) seen.push({ tenant: name, path, of: other.name, status });
      }
    }
  }
  return seen;
}
