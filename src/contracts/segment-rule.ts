import type { JsonValue } from "./json.ts";

/** What every rule grammar parses to. */
export type SegmentRule = RuleGroup | RuleCondition;

export interface RuleGroup {
  kind: "all" | "any";
  rules: SegmentRule[];
}

export interface RuleCondition {
  kind: "condition";
  /** Path of what is looked at: `traits.plan`. */
  field: string;
  /** Name of an operator. */
  operator: string;
  /** What the field is compared with, where the operator takes that. */
  value?: JsonValue;
}

export interface OperatorExample {
  title: string;
  /** What the profile has; left out where the field is missing. */
  found?: JsonValue;
  expected: JsonValue;
  result: boolean;
}

/** An operator: one file in `src/5-segment/operators`, named in its list. */
export interface Operator {
  /** Its name in rules, `snake_case`. */
  name: string;
  summary: string;
  /** What an expected value has to be, as the end of a sentence ("must be …"), when this one is not; asked once, when a rule is made. */
  refuse(expected: JsonValue | undefined): string | undefined;
  /**
   * Whether what was found fits. `found` is undefined when the profile does not have the field: negative operators are
   * then true. It MUST never throw: a value of another type than expected is an answer, not an error.
   */
  evaluate(found: JsonValue | undefined, expected: JsonValue | undefined): boolean;
  examples: OperatorExample[];
}
