import type { TenantSettings } from "../../contracts/directory.ts";
import { readPhone } from "./read-phone.ts";

/**
 * An identifier's value as it is kept and looked up: trimmed, e-mail in lower case, phone in E.164. Undefined when
 * nothing is left of it or a phone number cannot be read.
 */
export function normaliseValue(kind: string, value: string, settings: TenantSettings): string | undefined {
  const text = value.trim();
  if (kind === "phone") return readPhone(text, settings.country);
  return (kind === "email" ? text.toLowerCase() : text) || undefined;
}
