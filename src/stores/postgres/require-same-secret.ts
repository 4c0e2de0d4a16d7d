import { hash } from "node:crypto";
import type { Db } from "./db.ts";

/**
 * Refuses a secret other than the one this database was first used with. With another pepper no identifier would match any
 * more and every customer would be a stranger, silently. Only a fingerprint is kept.
 */
export async function requireSameSecret(db: Db, name: string, secret: Uint8Array, advice: string): Promise<void> {
  const fingerprint = fingerprintOf(name, secret);
  await db.query("insert into installation (name, value) values ($1, $2) on conflict do nothing", [name, fingerprint]);
  const [kept] = await db.query<{ value: Buffer }>("select value from installation where name = $1", [name]);
  if (!kept?.value.equals(fingerprint)) throw new Error(`The ${name} is not the one this database was made with. ${advice}`);
}

/** Tells a secret from another one without giving it away. */
export const fingerprintOf = (name: string, secret: Uint8Array): Buffer =>
  hash("sha256", Buffer.concat([Buffer.from(`tributary ${name} fingerprint\0`), secret]), "buffer").subarray(0, 16);
