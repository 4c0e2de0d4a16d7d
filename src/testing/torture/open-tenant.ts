import { createPublicIds } from "../../core/public-id.ts";
import { createClient, type Client } from "../server-client.ts";
import { until } from "../server-process.ts";
import type { Door, Draft } from "./draft.ts";

/** Known here, so that the model can order identifiers by their hashes and read public ids. */
export const pepper = "pepper-of-the-torture-0123456789abcdef";
export const pepperBytes = Buffer.from(pepper, "utf8");
export const publicIds = createPublicIds(pepperBytes);

/** An event that was sent: the first content under its id stands. Times are real milliseconds. */
export interface Sent {
  draft: Draft;
  firstSentAt: number;
  answeredAt?: number;
  /** Released from quarantine. */
  replayed?: boolean;
}

/** A tenant and everything that was ever sent to it. */
export interface Tenant {
  name: string;
  tenantId: number;
  client: Client;
  sourceIds: Record<Door, number>;
  publicSourceIds: Record<Door, string>;
  /** May send to its own source only, whose late policy is `quarantine`. */
  writer: Client;
  /** By door and event id, in the order of sending. */
  ledger: Map<string, Sent>;
  /** The same tenant and books at another process. */
  at(url: string): Tenant;
  /** How far the server's clock was ever off while this tenant sent, in milliseconds. */
  clock: { least: number; most: number };
}

export const ledgerKey = (door: Door, eventId: string): string => `${door} ${eventId}`;

interface SourceRow {
  sourceId: string;
  name: string;
}

/** Creates a tenant at a running server, with a source for what is held when late. */
export async function openTenant(url: string, name: string): Promise<Tenant> {
  const created = await createClient(url).post<{ data: { tenantId: string; apiKey: string } }>("/api/cdp/tenants", { name });
  if (created.status !== 201) throw new Error(`creating a tenant answered ${created.status}`);
  const { tenantId: publicId, apiKey } = created.body.data;
  const tenantId = publicIds.decode("tenant", 0, publicId) ?? 0;
  const client = createClient(url, apiKey);
  const web = await client.post<{ data: { writeKey: string } }>("/api/cdp/sources", { name: "web", latePolicy: "quarantine" });
  const writer = createClient(url, web.body.data.writeKey);
  const sources = await client.list<SourceRow>("/api/cdp/sources", 100);
  const publicIdOf = (source: string): string => sources.find((one) => one.name === source)?.sourceId ?? "";
  const idOf = (source: string): number => publicIds.decode("source", tenantId, publicIdOf(source)) ?? 0;
  const tenant: Omit<Tenant, "at"> = {
    name, tenantId, client, writer, ledger: new Map(), clock: { least: 0, most: 0 },
    sourceIds: { api: idOf("api"), import: idOf("import"), stream: idOf("stream"), quarantine: idOf("web") },
    publicSourceIds: { api: publicIdOf("api"), import: publicIdOf("import"), stream: publicIdOf("stream"), quarantine: publicIdOf("web") },
  };
  const at = (other: string): Tenant => ({ ...tenant, at, client: createClient(other, apiKey), writer: createClient(other, web.body.data.writeKey) });
  return { ...tenant, at };
}

/** Releases held events and notes it; resolves when they are in the log again. */
export async function replay(tenant: Tenant, door: Door, eventIds: string[]): Promise<void> {
  await until("a replay is taken", async () => {
    const { status } = await tenant.client.post("/api/cdp/quarantine/replay", { eventIds, sourceId: tenant.publicSourceIds[door] })
      .catch(() => ({ status: 0 }));
    return status === 202;
  });
  for (const eventId of eventIds) {
    const sent = tenant.ledger.get(ledgerKey(door, eventId));
    if (sent) sent.replayed = true;
  }
}
