import { isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js";

/**
 * A phone number in E.164, or undefined when it is none. Possible is enough: numbering plans change faster than metadata.
 * Without `+` it is a number of `country` (ISO 3166-1 alpha-2), else read as if `+` stood before it.
 */
export function readPhone(text: string, country: string | null): string | undefined {
  const defaultCountry = country !== null && isSupportedCountry(country) ? country : undefined;
  const international = text.startsWith("+") || !defaultCountry;
  const phone = international
    ? parsePhoneNumberFromString(text.startsWith("+") ? text : `+${text}`, { extract: false })
    : parsePhoneNumberFromString(text, { defaultCountry, extract: false });
  return phone?.isPossible() ? phone.number : undefined;
}
