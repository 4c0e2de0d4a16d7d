import type { Readable } from "node:stream";
import type { Base } from "../contracts/backup.ts";
import type { Routes } from "../contracts/http.ts";
import type { Logger } from "../contracts/logger.ts";
import { describeError } from "../core/describe-error.ts";
import { ApiError } from "../core/errors.ts";
import { errorPath } from "./file-names.ts";
import { createRoutes } from "./routes.ts";
import { createPacker, type Packer } from "./steps/pack-files.ts";
import { type BackupDeps, writeBackup } from "./steps/write-backup.ts";

export { sizeOf, sizeOfChain } from "./steps/needed-files.ts";
export { type Chain, readChain } from "./steps/read-chain.ts";
export { restoreHistory } from "./steps/restore-history.ts";
export { restoreLog } from "./steps/restore-log.ts";
export { restoreState } from "./steps/restore-state.ts";
export { verifyFiles } from "./steps/verify-files.ts";
export { type StoredBackup, listBackups, storeBackup } from "./steps/store-backup.ts";
export { BackupError } from "./backup-error.ts";

export interface Backup {
  routes: Routes;
  /** Ends a backup under way, and waits until it has let go of the databases. */
  stop(): Promise<void>;
}

export function createBackup(deps: BackupDeps & { logger: Logger }): Backup {
  const { logger } = deps;
  let running: { packer: Packer; done: Promise<void> } | undefined;

  async function run(packer: Packer, base: Base | undefined, planned: () => void): Promise<void> {
    try {
      await writeBackup(deps, base, packer, planned);
      packer.end();
    } catch (error) {
      const { message = "an error of a database, see the server's log", ...what } = describeError(error);
      logger.warn({ error: { message, ...what } }, "a backup failed");
      await packer.putJson(errorPath, { message }).then(() => packer.end(), () => undefined);
      throw error;
    }
  }

  /** Answers what is wrong with the request before anything is sent; what fails later is told within the archive. */
  async function begin(base: Base | undefined): Promise<Readable> {
    if (running) throw new ApiError("conflict", "A backup is under way; take the next one when it is done.");
    const packer = createPacker();
    const planned = Promise.withResolvers<void>();
    const done = run(packer, base, planned.resolve).finally(() => (running = undefined));
    running = { packer, done };
    done.catch(() => undefined);
    await Promise.race([planned.promise, done]).catch((error: unknown) => {
      packer.stream.destroy();
      throw error;
    });
    return packer.stream;
  }

  return {
    routes: createRoutes(begin),
    async stop() {
      const { packer, done } = running ?? {};
      packer?.stream.destroy();
      await done?.catch(() => undefined);
    },
  };
}
