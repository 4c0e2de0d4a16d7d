import { createCipheriv, createDecipheriv, hash, hkdfSync } from "node:crypto";

/** Prefixes are words of this code base; there are few. */
const prefixesMax = 100;
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * Public ids: opaque, prefixed, and checkable without a database. Number and tenant are one AES-128 block beside 32 bits
 * of the prefix, so that a made-up id, one of another tenant or of another prefix decodes to nothing (chance 2⁻⁶⁴ with the tenant's bits).
 */
export interface PublicIds {
  encode(prefix: string, tenantId: number, id: number): string;
  /** The number, or undefined when this tenant was never given such an id. */
  decode(prefix: string, tenantId: number, text: string): number | undefined;
}

export function createPublicIds(secret: Uint8Array): PublicIds {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "tributary public ids", 16));
  // In ECB a block knows nothing of the one before, so one cipher does for all; making one costs ten times a block.
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  const decipher = createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  const known = new Map<string, number>();
  function bitsOf(prefix: string): number {
    const bits = known.get(prefix) ?? prefixBits(prefix);
    if (known.size < prefixesMax) known.set(prefix, bits);
    return bits;
  }
  return {
    encode(prefix, tenantId, id) {
      const block = Buffer.alloc(16);
      block.writeUInt32BE(bitsOf(prefix), 0);
      block.writeUInt32BE(tenantId, 4);
      block.writeBigUInt64BE(BigInt(id), 8);
      return `${prefix}-${toBase32(cipher.update(block))}`;
    },
    decode(prefix, tenantId, text) {
      if (text.length !== prefix.length + 27 || !text.startsWith(`${prefix}-`)) return undefined;
      const bytes = fromBase32(text.slice(prefix.length + 1));
      if (!bytes) return undefined;
      const block = decipher.update(bytes);
      if (block.readUInt32BE(0) !== bitsOf(prefix) || block.readUInt32BE(4) !== tenantId) return undefined;
      const id = block.readBigUInt64BE(8);
      return id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : undefined;
    },
  };
}

const prefixBits = (prefix: string): number => hash("sha256", prefix, "buffer").readUInt32BE(0);

function toBase32(bytes: Buffer): string {
  let value = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (let i = 0; i < 26; i++, value >>= 5n) text = alphabet[Number(value & 31n)] + text;
  return text;
}

function fromBase32(text: string): Buffer | undefined {
  let value = 0n;
  for (const letter of text) {
    const digit = alphabet.indexOf(letter);
    if (digit < 0) return undefined;
    value = (value << 5n) | BigInt(digit);
  }
  return value >> 128n ? undefined : Buffer.from(value.toString(16).padStart(32, "0"), "hex");
}
