import type { JsonValue } from "./json.ts";

/**
 * Small settings documents (keys, sources, erasures) kept beside the event log, so that accepting an event needs nothing else.
 * Keys carry their namespace (`key:…`, `source:…`); `prefix` limits a call to one of them, the default is all.
 * Every write resolves once it survives `kill -9` and power loss; a write that rejects changed nothing.
 */
export interface Mirror {
  /** Makes `entries` the only documents under `prefix`, all at once. Every key of `entries` must start with it. */
  replaceAll(entries: ReadonlyMap<string, JsonValue>, prefix?: string): Promise<void>;
  put(key: string, value: JsonValue): Promise<void>;
  /** Removes a document; one that is not there is no error. */
  delete(key: string): Promise<void>;
  /** A copy of the documents under `prefix`, in the order of their keys. */
  entries(prefix?: string): Map<string, JsonValue>;
  close(): Promise<void>;
}
