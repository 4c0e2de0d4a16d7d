/**
 * Traits that name or reach a person by themselves and are therefore sealed. The default list: contact data, names,
 * postal address, birth date, official and payment numbers, pictures, network addresses and coordinates. Not in it:
 * what many people share (gender, age, city, country, language, company, title, plan).
 */
const personalNames = new Set([
  "name", "firstname", "lastname", "middlename", "fullname", "givenname", "familyname", "surname", "maidenname", "displayname", "nickname",
  "username", "login", "birthday", "birthdate", "dateofbirth", "dob", "mobile", "mobilenumber", "gps", "latitude",
  "longitude",
]);

/** A trait is personal when one of its words is one of these: `workEmail`, `billing_address`, `last ip`. */
const personalWords = new Set([
  "email", "mail", "phone", "telephone", "fax", "whatsapp", "address", "street", "ip", "avatar", "photo", "picture",
  "ssn", "passport", "iban", "birthday", "birthdate", "dob", "username",
]);

/** True for traits that must lie in the sealed document. Spelling does not matter: `firstName`, `first_name`, `First Name`. */
export function isPersonalTrait(name: string): boolean {
  return name.split(".").some((part) => {
    const words = part.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().split(/[^\p{L}]+/u);
    return personalNames.has(words.join("")) || words.some((word) => personalWords.has(word) || personalWords.has(word.replace(/e?s$/, "")));
  });
}
