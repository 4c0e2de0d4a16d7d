import type { Directory, Principal, Source, Tenant } from "../contracts/directory.ts";
import type { JsonValue } from "../contracts/json.ts";
import type { PublicIds } from "../core/public-id.ts";
import { defaultTenantSettings } from "../core/tenant-defaults.ts";
import type { ApiKeyDocument, SourceDocument, TenantDocument } from "./documents.ts";
import { hashOfKey } from "./keys.ts";

interface Held {
  tenants: Map<number, Tenant>;
  /** By tenant, then by number. */
  sources: Map<number, Map<number, Source>>;
  builtIn: Map<string, Source>;
  /** By the hash of the key. */
  principals: Map<string, Principal>;
}

/** The directory in memory, and how the mirror's documents get in and out of it. */
interface HeldDirectory extends Directory {
  put(key: string, document: JsonValue): void;
  forgetKey(keyHash: string): void;
  replaceAll(entries: ReadonlyMap<string, JsonValue>): void;
}

const nothing = (): Held => ({ tenants: new Map(), sources: new Map(), builtIn: new Map(), principals: new Map() });

/** The tenant's number is its public id's number; tenant 0, which nobody is, is the one it is given to. */
export const tenantPublicId = (publicIds: PublicIds, tenantId: number): string => publicIds.encode("tenant", 0, tenantId);
export const sourcePublicId = (publicIds: PublicIds, tenantId: number, sourceId: number): string =>
  publicIds.encode("source", tenantId, sourceId);

function holdTenant(held: Held, publicIds: PublicIds, { tenantId, name, settings, createdAt }: TenantDocument): void {
  const merged = { ...defaultTenantSettings, ...(settings as Partial<Tenant["settings"]>) };
  held.tenants.set(tenantId, { tenantId, publicId: tenantPublicId(publicIds, tenantId), name, createdAt, settings: merged });
}

function holdSource(held: Held, publicIds: PublicIds, { writeKeyHash, ...document }: SourceDocument): void {
  const { tenantId, sourceId, name, builtIn } = document;
  const source = { ...document, publicId: sourcePublicId(publicIds, tenantId, sourceId) };
  const ofTenant = held.sources.get(tenantId) ?? new Map<number, Source>();
  held.sources.set(tenantId, ofTenant.set(sourceId, source));
  if (builtIn) held.builtIn.set(`${tenantId}:${name}`, source);
  if (writeKeyHash) held.principals.set(writeKeyHash, { tenantId, sourceId, kind: "write-key", admin: false });
}

function holdApiKey(held: Held, { tenantId, keyHash, admin }: ApiKeyDocument): void {
  held.principals.set(keyHash, { tenantId, kind: "api-key", admin });
}

function hold(held: Held, publicIds: PublicIds, key: string, document: JsonValue): void {
  if (key.startsWith("access:tenant:")) holdTenant(held, publicIds, document as TenantDocument);
  else if (key.startsWith("access:source:")) holdSource(held, publicIds, document as SourceDocument);
  else if (key.startsWith("access:key:")) holdApiKey(held, document as ApiKeyDocument);
}

/** Every look-up is synchronous and in memory: the door asks for each request. */
export function createHeldDirectory(publicIds: PublicIds): HeldDirectory {
  let held = nothing();
  return {
    put: (key, document) => hold(held, publicIds, key, document),
    forgetKey: (keyHash) => void held.principals.delete(keyHash),
    replaceAll(entries) {
      const next = nothing();
      for (const [key, document] of entries) hold(next, publicIds, key, document);
      held = next;
    },
    ready: () => held.tenants.size > 0,
    authenticate: (secret) => held.principals.get(hashOfKey(secret)),
    tenant: (tenantId) => held.tenants.get(tenantId),
    source: (tenantId, sourceId) => held.sources.get(tenantId)?.get(sourceId),
    builtInSource: (tenantId, name) => held.builtIn.get(`${tenantId}:${name}`),
    sources: (tenantId) => [...(held.sources.get(tenantId)?.values() ?? [])],
  };
}
