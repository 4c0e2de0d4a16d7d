import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Manifest } from "../../contracts/backup.ts";
import { createPacker, type Packer } from "./pack-files.ts";
import { listBackups, storeBackup } from "./store-backup.ts";

let root: string;
let dir: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stored-"));
});
beforeEach(async () => {
  dir = await mkdtemp(join(root, "case-"));
});
afterAll(() => rm(root, { recursive: true }));

const manifestOf = ({ files }: Packer, startedAt = "2026-01-01T00:00:00.000Z"): Manifest =>
  ({ format: 1, id: startedAt, startedAt, files }) as Partial<Manifest> as Manifest;

/** An archive of one file that `finish` brings to its end. */
function archiveOf(finish: (packer: Packer) => Promise<unknown>): Packer["stream"] {
  const packer = createPacker();
  void packer.put({ part: "state", of: "tenant", rows: 1, bytes: Buffer.from("1\tdefault\n") }).then(() => finish(packer)).then(() => packer.end(), () => undefined);
  return packer.stream;
}

const silent = { planned: () => undefined, arrived: () => undefined };

test("a whole archive becomes a directory, listed by its time, with checksums that other tools read", async () => {
  for (const [name, at] of [["b", "2026-01-02"], ["a", "2026-01-03"]] as const) await storeBackup(archiveOf((packer) => packer.putJson("manifest.json", manifestOf(packer, at))), dir, name, silent);
  expect((await listBackups(dir)).map(({ manifest }) => manifest.startedAt)).toEqual(["2026-01-02", "2026-01-03"]);
  expect(await readFile(join(dir, "a/SHA256SUMS"), "utf8")).toMatch(/^[0-9a-f]{64} {2}state\/tenant-000001.tsv.zst\n[0-9a-f]{64} {2}manifest.json\n$/);
});

test.each<[name: string, finish: (packer: Packer) => Promise<unknown>, said: RegExp]>([
  ["that ends without its manifest", async () => undefined, /its last part did not arrive/],
  ["that says why it ends", (packer) => packer.putJson("error.json", { message: "the log is gone" }), /could not finish the backup: the log is gone/],
  ["whose connection breaks", async (packer) => packer.stream.destroy(new Error("reset")), /broke off/],
  ["with another checksum than the server says", (packer) => packer.putJson("manifest.json", { ...manifestOf(packer), files: packer.files.map((file) => ({ ...file, sha256: "0" })) }), /did not arrive as it was sent/],
])("an archive %s leaves nothing", async (_, finish, said) => {
  await expect(storeBackup(archiveOf(finish), dir, "one", silent)).rejects.toThrow(said);
  expect(await readdir(dir)).toEqual([]);
});

test("a file that cannot be written is the reason that is told", async () => {
  const packer = createPacker();
  void packer.put({ part: "state", of: "tenant", rows: 1, bytes: Buffer.from("1\n") }).then(() => packer.end());
  const block = async (): Promise<void> => await writeFile(join(dir, "one.unfinished/state"), "in the way");
  const archive = (async function* () {
    let isFirst = true;
    for await (const chunk of packer.stream) {
      if (isFirst) await block();
      isFirst = false;
      yield chunk as Uint8Array;
    }
  })();
  await expect(storeBackup(archive, dir, "one", silent)).rejects.toThrow(/EEXIST|ENOTDIR/);
  expect(existsSync(join(dir, "one.unfinished"))).toBe(false);
});

test("a reader that goes away ends the writer's wait", async () => {
  const packer = createPacker();
  const waiting = packer.put({ part: "state", of: "tenant", rows: 1, bytes: Buffer.alloc(10) }).then(() => packer.putJson("manifest.json", { large: "x".repeat(5_000_000) }));
  packer.stream.destroy();
  await expect(waiting).rejects.toThrow(/nobody reads/);
});
