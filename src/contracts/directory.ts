/** Who may do what, and the settings the door needs. Mirrored beside the log, so that accepting never waits for PostgreSQL. */
export interface Principal {
  tenantId: number;
  /** A write key can only send events, to its own source. */
  kind: "api-key" | "write-key";
  /** The bootstrap key of tenant `default`: may create tenants and read `/metrics`. */
  admin: boolean;
  /** Set for a write key. */
  sourceId?: number;
}

export type LatePolicy = "apply" | "quarantine";

export interface Source {
  tenantId: number;
  sourceId: number;
  /** `source-…` */
  publicId: string;
  name: string;
  latePolicy: LatePolicy;
  /** Built in: `stream` (behind /cdp/ingest), `api` (behind /api/cdp), `import`. */
  builtIn: boolean;
  createdAt: number;
}

export interface IdentifierKind {
  kind: string;
  priority: number;
  /** With more distinct partners of stronger kinds than this an identifier is shared, and its links are void. */
  partnersMax: number;
}

export interface TenantSettings {
  /** IANA name; date-only bounds are whole days in it. */
  timeZone: string;
  /** ISO 3166-1 alpha-2; how a phone number without `+` is read. Null: as if `+` stood before it. */
  country: string | null;
  currency: string;
  /** Units of the tenant's currency for one unit of another, each valid from its time (ms) on. */
  rates: Record<string, { fromMs: number; rate: string }[]>;
  purchaseEvents: string[];
  refundEvents: string[];
  revenueProperties: string[];
  orderIdProperties: string[];
  /** Of one profile's purchases with an equal order id only one counts. */
  countOrderOnce: boolean;
  churnDays: number;
  identifierKinds: IdentifierKind[];
  blockedValues: string[];
}

export interface Tenant {
  tenantId: number;
  /** `tenant-…` */
  publicId: string;
  name: string;
  createdAt: number;
  settings: TenantSettings;
}

export interface Directory {
  /** False until the first tenant is known: the door answers 503 `starting`. */
  ready(): boolean;
  /** The holder of an API key or write key, or undefined. */
  authenticate(secret: string): Principal | undefined;
  tenant(tenantId: number): Tenant | undefined;
  source(tenantId: number, sourceId: number): Source | undefined;
  /** The tenant's built-in source of that name. */
  builtInSource(tenantId: number, name: "stream" | "api" | "import"): Source | undefined;
  sources(tenantId: number): Source[];
}
