import { describe, expect, test } from "vitest";
import type { JsonValue } from "../contracts/json.ts";
import type { RuleGroup, SegmentRule } from "../contracts/segment-rule.ts";
import { ApiError } from "../core/errors.ts";
import { compileRule } from "./compile-rule.ts";
import { operators } from "./operators/index.ts";

const is = (field: string, value: JsonValue): SegmentRule => ({ kind: "condition", field, operator: "equals", value });
const not = (field: string, value: JsonValue): SegmentRule => ({ kind: "condition", field, operator: "not_equals", value });
const all = (...rules: SegmentRule[]): RuleGroup => ({ kind: "all", rules });
const any = (...rules: SegmentRule[]): RuleGroup => ({ kind: "any", rules });

const subjectOf = (traits: Record<string, JsonValue>) => ({ traits: new Map(Object.entries(traits).map(([name, value]) => [name, { value }])) });

describe("a rule holds", () => {
  const pro = is("traits.plan", "pro");
  const french = is("traits.country", "FR");
  const rows: [what: string, rule: SegmentRule, traits: Record<string, JsonValue>, holds: boolean][] = [
    ["the trait has the value", pro, { plan: "pro" }, true],
    ["the trait has another value", pro, { plan: "free" }, false],
    ["the trait is missing", pro, { country: "FR" }, false],
    ["not the value, of a missing trait", not("traits.plan", "pro"), {}, true],
    ["not the value, of a deleted trait", not("traits.plan", "pro"), { plan: null }, true],
    ["all, and both do", all(pro, french), { plan: "pro", country: "FR" }, true],
    ["all, and one does", all(pro, french), { plan: "pro", country: "DE" }, false],
    ["any, and one does", any(pro, french), { plan: "free", country: "FR" }, true],
    ["any, and none does", any(pro, french), {}, false],
    ["groups in groups", all(any(pro, french), not("traits.vip", true)), { country: "FR", vip: false }, true],
    ["a custom field is a trait of its own", is("traits.customFields.industry", "Media"), { "customFields.industry": "Media" }, true],
    ["everything after traits. is the trait's name", is("traits.a.b", 1), { "a.b": 1 }, true],
    ["no trait comes from the language", is("traits.constructor", "x"), {}, false],
  ];
  test.each(rows)("%s", (_what, rule, traits, holds) => {
    expect(compileRule(rule, operators)(subjectOf(traits))).toBe(holds);
  });
});

describe("a mistake is found when the rule is made", () => {
  const rows: [what: string, rule: SegmentRule, details: [field: string, reason: string][]][] = [
    ["an operator that does not exist", { kind: "condition", field: "traits.plan", operator: "resembles", value: "pro" }, [["operator", "not_allowed"]]],
    ["a field that does not exist", is("shoeSize", 43), [["field", "not_allowed"]]],
    ["a trait without a name", is("traits.", 43), [["field", "not_allowed"]]],
    ["no value to compare with", { kind: "condition", field: "traits.plan", operator: "equals" }, [["value", "invalid"]]],
    ["a value that this operator cannot compare with", not("traits.plan", ["pro"]), [["value", "invalid"]]],
    ["a group of nothing", all(), [["rules", "empty"]]],
    ["each by its path", all(is("traits.plan", "pro"), any(is("x", null), any())),
      [["rules[1].rules[0].field", "not_allowed"], ["rules[1].rules[0].value", "invalid"], ["rules[1].rules[1].rules", "empty"]]],
  ];
  test.each(rows)("%s", (_what, rule, details) => {
    const error = mistakeOf(rule);
    expect(error.code).toBe("validation_failed");
    expect(error.details?.map(({ field, reason }) => [field, reason])).toEqual(details);
  });

  test("and the message says what would be right", () => {
    expect(mistakeOf({ kind: "condition", field: "traits.plan", operator: "=", value: "pro" }).message).toBe("operator must be one of equals, not_equals");
  });
});

function mistakeOf(rule: SegmentRule): ApiError {
  try {
    compileRule(rule, operators);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("the rule was taken");
}
