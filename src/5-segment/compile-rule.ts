import type { FieldError } from "../contracts/field-error.ts";
import type { Operator, RuleCondition, SegmentRule } from "../contracts/segment-rule.ts";
import type { SegmentSubject } from "../contracts/segment.ts";
import { fieldError } from "../core/check-schema.ts";
import { ApiError } from "../core/errors.ts";
import { fieldReader } from "./read-field.ts";

/** Whether a rule holds for a profile. Never throws. */
export type Holds = (subject: SegmentSubject) => boolean;

/**
 * Makes a rule ready to be evaluated. Everything that is wrong with it is found here: throws `validation_failed` naming
 * the path of every mistake (`rules[1].operator`), so that no rule can fail on a profile.
 */
export function compileRule(rule: SegmentRule, operators: readonly Operator[]): Holds {
  const mistakes: FieldError[] = [];
  const holds = compile(rule, "", operators, mistakes);
  if (mistakes.length > 0) throw new ApiError("validation_failed", mistakes.map(({ message }) => message).join("; "), { details: mistakes });
  return holds;
}

/** `path` is that of the rule itself and ends so that the name of a member can follow it. */
function compile(rule: SegmentRule, path: string, operators: readonly Operator[], mistakes: FieldError[]): Holds {
  if (rule.kind === "condition") return compileCondition(rule, path, operators, mistakes);
  const inner = rule.rules.map((one, at) => compile(one, `${path}rules[${at}].`, operators, mistakes));
  if (inner.length === 0) mistakes.push(fieldError(`${path}rules`, "empty", "must not be empty"));
  return rule.kind === "all" ? (subject) => inner.every((holds) => holds(subject)) : (subject) => inner.some((holds) => holds(subject));
}

function compileCondition(rule: RuleCondition, path: string, operators: readonly Operator[], mistakes: FieldError[]): Holds {
  const { field, value } = rule;
  const read = fieldReader(field);
  const operator = operators.find(({ name }) => name === rule.operator);
  if (!read) mistakes.push(fieldError(`${path}field`, "not_allowed", "must be traits. and the name of a trait"));
  if (!operator) mistakes.push(fieldError(`${path}operator`, "not_allowed", `must be one of ${operators.map(({ name }) => name).join(", ")}`));
  const refusal = operator?.refuse(value);
  if (refusal !== undefined) mistakes.push(fieldError(`${path}value`, "invalid", refusal));
  return (subject) => operator?.evaluate(read?.(subject), value) ?? false;
}
