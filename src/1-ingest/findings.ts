import type { FieldError } from "../contracts/field-error.ts";
import { fieldError } from "../core/check-schema.ts";

/** What the steps find out about one row: errors refuse it, warnings go with the accepted event. */
export interface Findings {
  errors: FieldError[];
  warnings: string[];
}

export function warn(findings: Findings, code: string): void {
  if (!findings.warnings.includes(code)) findings.warnings.push(code);
}

/** Adds an error whose sentence begins with the field. */
export function refuse(findings: Findings, field: string, reason: string, rule: string): void {
  findings.errors.push(fieldError(field, reason, rule));
}

/** The databases keep text as UTF-8 without NUL: what cannot be that must not become a key or a column. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes("\0");
