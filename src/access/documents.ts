import type { LatePolicy } from "../contracts/directory.ts";
import type { JsonObject } from "../contracts/json.ts";

/** The namespace of this room in the mirror. */
export const mirrorPrefix = "access:";

/* Type aliases, because only those count as JSON. */

export type TenantDocument = {
  tenantId: number;
  name: string;
  /** Only what differs from the defaults. */
  settings: JsonObject;
  createdAt: number;
};

export type SourceDocument = {
  tenantId: number;
  sourceId: number;
  name: string;
  latePolicy: LatePolicy;
  builtIn: boolean;
  /** Hexadecimal; null for a built-in source. */
  writeKeyHash: string | null;
  createdAt: number;
};

export type ApiKeyDocument = {
  tenantId: number;
  keyHash: string;
  admin: boolean;
};

/** A document and its key in the mirror, which names its kind. */
export type Entry =
  | [key: `access:tenant:${number}`, document: TenantDocument]
  | [key: `access:source:${number}:${number}`, document: SourceDocument]
  | [key: `access:key:${string}`, document: ApiKeyDocument];

export const tenantEntry = (document: TenantDocument): Entry => [`access:tenant:${document.tenantId}`, document];
export const sourceEntry = (document: SourceDocument): Entry => [`access:source:${document.tenantId}:${document.sourceId}`, document];
export const apiKeyEntry = (document: ApiKeyDocument): Entry => [apiKeyMirrorKey(document.keyHash), document];
export const apiKeyMirrorKey = (keyHash: string): `access:key:${string}` => `access:key:${keyHash}`;
