import { hash, randomBytes } from "node:crypto";

const newSecret = (prefix: string): string => `${prefix}_${randomBytes(32).toString("base64url")}`;

/** 256 random bits, so a plain hash is enough to store: nothing about them can be guessed. */
export const newApiKey = (): string => newSecret("trib");
export const newWriteKey = (): string => newSecret("tribw");

/** What is stored and looked up instead of a key: comparing hashes tells nothing about the key by its timing. */
export const hashOfKey = (secret: string): string => hash("sha256", secret, "hex");
