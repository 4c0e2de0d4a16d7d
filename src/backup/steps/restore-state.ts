import type { Db } from "../../stores/postgres/db.ts";
import { beginRestore } from "../../stores/postgres/installation.ts";
import { readPart } from "./needed-files.ts";
import type { Chain } from "./read-chain.ts";
import { quoted } from "./write-backup.ts";

/**
 * Numbers that the lost place gave out after the backup are known to the world: they must not come to mean somebody else. So
 * sequences go on so much further.
 */
const leap = { large: 1_000_000, small: 1000 };

/** Fills the tables of a state database that has the backup's schema and no rows, all or nothing. */
export async function restoreState(chain: Chain, db: Db, told: (bytes: number) => void): Promise<void> {
  const { tables, sequences, id } = chain.newest;
  await db.session(async (session) => {
    await session.query("begin");
    for (const { name, columns } of tables) {
      const files = async function* (): AsyncGenerator<Buffer> {
        for await (const { bytes, file } of readPart(chain, "state", name)) {
          yield bytes;
          told(file.bytes);
        }
      };
      await session.copyIn(`copy "${name}" (${quoted(columns)}) from stdin`, files());
    }
    for (const { name, lastValue, large } of sequences) await session.query("select setval($1::regclass, $2)", [`"${name}"`, lastValue + (large ? leap.large : leap.small)]);
    await beginRestore(session, id);
    await session.query("commit");
    await session.query("analyze");
  });
}
