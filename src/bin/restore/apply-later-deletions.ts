import type { Manifest } from "../../contracts/backup.ts";

/**
 * The one place where a restore applies the deletions that were made after its backup, before any server starts on it. There is
 * no ledger of deletions yet, so there is nothing that could be applied: it can only be said.
 */
export async function applyLaterDeletions({ startedAt }: Pick<Manifest, "startedAt">, say: (line: string) => void): Promise<void> {
  say(`Deletions made after ${startedAt} are not known to this release: whoever was deleted since is in the restored data again.`);
}
