import { untilProcessed } from "../server-client.ts";
import type { Arena } from "./arena.ts";
import type { Draft } from "./draft.ts";

const introducedMax = 4;

/** Makes some customers known by one identifier alone, so that the id of their profile stands for that one; later events name them by it. */
export async function introduceCustomers(arena: Arena): Promise<void> {
  const names = Array.from({ length: introducedMax }, (_, n) => ({ kind: n % 2 === 0 ? "external_id" : "anonymous_id", value: `introduced-${n}` }));
  await arena.send(arena.tenants.map((tenant) => names.map((one, n): Draft => (
    { door: "api", eventId: `introduction-${n}`, kind: "track", name: "Met", ts: Date.now() - n, identifiers: [one], properties: { of: tenant.name, n } }))));
  await untilProcessed(arena.server);
  for (const [i, tenant] of arena.tenants.entries()) {
    for (const { kind, value } of names) {
      const profile = await tenant.client.lookup(kind, value);
      if (profile) arena.writers[i]?.known.push({ publicId: profile.id, name: `person ${kind}:${value}` });
    }
  }
  arena.demand(arena.writers.every(({ known }) => known.length === introducedMax), "an introduced customer has no profile");
}
