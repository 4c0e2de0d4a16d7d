import type { JsonValue } from "../../contracts/json.ts";
import type { Mirror } from "../../contracts/mirror.ts";
import { openEnvironment } from "./environment.ts";
import type { EnvironmentDb } from "./environment.ts";
import { createOneAtATime } from "./one-at-a-time.ts";

const mapSizeBytes = 64_000_000;
const keyBytesMax = 1000;

/** Everything that can be wrong with a document is found here, before the transaction begins. */
function encodeDocument(key: string, value: JsonValue): Buffer {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new TypeError(`the document ${key} is not JSON`);
  return Buffer.from(json);
}

function refuseBadKey(key: string): void {
  if (key === "" || key.includes("\0") || Buffer.byteLength(key) > keyBytesMax) {
    throw new RangeError(`a key of the mirror has 1 to ${keyBytesMax} bytes and no NUL`);
  }
}

/** Opens the mirror that lives in a directory, made when missing. One process at a time. */
export function openMirror({ dir }: { dir: string }): Mirror {
  const environment = openEnvironment(dir, mapSizeBytes);
  const oneAtATime = createOneAtATime();
  let hasFailed = false;

  const write = (fill: (db: EnvironmentDb) => Promise<boolean>[]): Promise<void> => oneAtATime(async () => {
    if (hasFailed) await environment.reopen();
    hasFailed = true;
    await environment.write(fill);
    hasFailed = false;
  });

  function* keysUnder(prefix: string): Generator<string> {
    for (const key of environment.db().getKeys(prefix === "" ? {} : { start: prefix })) {
      if (typeof key !== "string" || !key.startsWith(prefix)) return;
      yield key;
    }
  }

  return {
    async replaceAll(entries, prefix = "") {
      const documents = new Map<string, Buffer>();
      for (const [key, value] of entries) {
        refuseBadKey(key);
        if (!key.startsWith(prefix)) throw new RangeError(`the key ${key} does not start with ${prefix}`);
        documents.set(key, encodeDocument(key, value));
      }
      await write((db) => [
        ...[...keysUnder(prefix)].filter((key) => !documents.has(key)).map((key) => db.remove(key)),
        ...[...documents].map(([key, bytes]) => db.put(key, bytes)),
      ]);
    },
    async put(key, value) {
      refuseBadKey(key);
      const bytes = encodeDocument(key, value);
      await write((db) => [db.put(key, bytes)]);
    },
    async delete(key) {
      refuseBadKey(key);
      await write((db) => (db.doesExist(key) ? [db.remove(key)] : []));
    },
    entries(prefix = "") {
      const db = environment.db();
      const found = new Map<string, JsonValue>();
      for (const key of keysUnder(prefix)) {
        const bytes = db.get(key);
        if (bytes !== undefined) found.set(key, JSON.parse(Buffer.from(bytes).toString("utf8")) as JsonValue);
      }
      return found;
    },
    close: () => oneAtATime(() => environment.close()),
  };
}
