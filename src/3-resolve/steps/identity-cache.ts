import type { IdentityId } from "../../contracts/identity.ts";
import { createTwoGenerations } from "../../core/two-generations.ts";

/** Identity ids by the hash of the identifier. Bounded: the least used are forgotten. */
export interface IdentityCache {
  /** `hash` is the identifier's SHA-256, one character per byte; its first 128 bits are compared, tenant and entity in full. */
  get(tenantId: number, entity: string, hash: string): IdentityId | undefined;
  set(tenantId: number, entity: string, hash: string, id: IdentityId): void;
}

const hashWords = 4;
const keyWords = 2 + hashWords;
const valueWords = 2;

/** At most `entriesMax` identities, 43 bytes each; surely those used among the latest half of that. */
export function createIdentityCache(entriesMax: number): IdentityCache {
  const known = createTwoGenerations(entriesMax, keyWords, valueWords);
  const entities = new Map<string, number>();
  const key = new Uint32Array(keyWords);
  const value = new Uint32Array(valueWords);
  const id = new Float64Array(value.buffer);

  function numberOf(entity: string): number {
    const number = entities.get(entity) ?? entities.size + 1;
    entities.set(entity, number);
    return number;
  }
  function point(tenantId: number, entity: string, hash: string): void {
    key[0] = numberOf(entity);
    key[1] = tenantId;
    for (let n = 0; n < hashWords; n++) key[2 + n] = wordOf(hash, n * 4);
  }
  return {
    get(tenantId, entity, hash) {
      point(tenantId, entity, hash);
      return known.get(key, value) ? id[0] : undefined;
    },
    set(tenantId, entity, hash, identityId) {
      point(tenantId, entity, hash);
      id[0] = identityId;
      known.set(key, value);
    },
  };
}

const wordOf = (bytes: string, at: number): number =>
  (bytes.charCodeAt(at) << 24) | (bytes.charCodeAt(at + 1) << 16) | (bytes.charCodeAt(at + 2) << 8) | bytes.charCodeAt(at + 3);
