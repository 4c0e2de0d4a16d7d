import { expect, test } from "vitest";
import { isPersonalTrait } from "./personal-traits.ts";

const personal = [
  "email", "Email", "workEmail", "email_2", "emails", "phone", "phoneNumber", "mobile", "name", "firstName", "first_name", "First Name", "LASTNAME",
  "fullName", "address", "billingAddress", "shipping_address", "addresses", "address.city", "ip_address", "street", "birthday", "birthDate",
  "dateOfBirth", "date_of_birth", "ip", "lastIp", "username", "userName", "avatar", "avatar_url", "customFields.firstName", "customFields.Home Address",
];
test.each(personal)("%s is personal", (name) => {
  expect(isPersonalTrait(name)).toBe(true);
});

const open = [
  "plan", "city", "country", "language", "gender", "age", "title", "companyName", "productName", "createdAt", "tags", "description", "zip", "tip",
  "shipping", "lastLogin", "customFields.preferredLanguage", "customFields.industry", "mobileApp", "", "constructor",
];
test.each(open)("%s is not", (name) => {
  expect(isPersonalTrait(name)).toBe(false);
});
