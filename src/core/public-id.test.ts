import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPublicIds } from "./public-id.ts";

const ids = createPublicIds(Buffer.alloc(32, 7));
const someTenant = fc.nat({ max: 2 ** 32 - 1 });
const someId = fc.maxSafeNat();

test("an id comes back to the tenant it was given to", () => {
  fc.assert(
    fc.property(someTenant, someId, (tenant, id) => {
      const text = ids.encode("profile", tenant, id);
      expect(text).toMatch(/^profile-[0-9a-hjkmnp-tv-z]{26}$/);
      expect(ids.decode("profile", tenant, text)).toBe(id);
    }),
  );
});

test("and to no other tenant, prefix or secret", () => {
  const others = createPublicIds(Buffer.alloc(32, 8));
  fc.assert(
    fc.property(someTenant, someTenant, someId, (tenant, other, id) => {
      fc.pre(tenant !== other);
      const text = ids.encode("profile", tenant, id);
      expect(ids.decode("profile", other, text)).toBeUndefined();
      expect(ids.decode("segment", tenant, text)).toBeUndefined();
      expect(ids.decode("segment", tenant, text.replace("profile", "segment"))).toBeUndefined();
      expect(others.decode("profile", tenant, text)).toBeUndefined();
    }),
  );
});

test("an id with one letter changed is no id", () => {
  fc.assert(
    fc.property(someId, fc.nat({ max: 25 }), fc.constantFrom(..."0123456789abcdefghjkmnpqrstvwxyz"), (id, at, letter) => {
      const text = ids.encode("profile", 1, id);
      const changed = text.slice(0, 8 + at) + letter + text.slice(9 + at);
      expect(ids.decode("profile", 1, changed)).toBe(changed === text ? id : undefined);
    }),
  );
});

test("neighbouring numbers have ids that look nothing alike", () => {
  const [first, second] = [ids.encode("profile", 1, 1), ids.encode("profile", 1, 2)];
  const equal = [...first.slice(8)].filter((letter, i) => letter === second[8 + i]);
  expect(equal.length).toBeLessThan(8);
});

describe("what is no id decodes to nothing", () => {
  const texts = ["", "profile-", "profile", `profile-${"0".repeat(26)}`, `profile-${"z".repeat(26)}`, `profile-${"!".repeat(26)}`, "profile-abc123", `Profile-${"0".repeat(26)}`];
  test.each([...texts, `profile-${"0".repeat(27)}`, `profile-${"é".repeat(26)}`])("%j", (text) => {
    expect(ids.decode("profile", 1, text)).toBeUndefined();
  });
});
