import type { FieldError } from "../../contracts/field-error.ts";
import { fieldError } from "../../core/check-schema.ts";

interface Fault {
  path: string;
  reason: string;
  rule: string;
}

const isForbidden = (key: string): boolean => key === "__proto__" || key === "constructor" || key === "prototype";

/**
 * Looks through a whole row for what no step may meet: keys that reach into prototypes, numbers that JSON cannot write
 * back (1e999), and nesting beyond `depthMax`, which also bounds this recursion and every later one.
 */
export function checkShape(row: unknown, depthMax: number): FieldError | undefined {
  const fault = findFault(row, depthMax);
  return fault && fieldError(fault.path.replace(/^\./, "") || "event", fault.reason, fault.rule);
}

function findFault(value: unknown, depthLeft: number): Fault | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : { path: "", reason: "number_out_of_range", rule: "is too large a number" };
  if (typeof value !== "object" || value === null) return undefined;
  if (depthLeft === 0) return { path: "", reason: "too_deep", rule: "is nested too deep" };
  return Array.isArray(value) ? findInArray(value, depthLeft - 1) : findInObject(value as Record<string, unknown>, depthLeft - 1);
}

function findInArray(array: unknown[], depthLeft: number): Fault | undefined {
  for (let i = 0; i < array.length; i++) {
    const fault = findFault(array[i], depthLeft);
    if (fault) return { ...fault, path: `[${i}]${fault.path}` };
  }
  return undefined;
}

function findInObject(object: Record<string, unknown>, depthLeft: number): Fault | undefined {
  for (const key in object) {
    if (isForbidden(key)) return { path: `.${key}`, reason: "forbidden_key", rule: "is a key that is not allowed" };
    const fault = findFault(object[key], depthLeft);
    if (fault) return { ...fault, path: `.${key.slice(0, 64)}${fault.path}` };
  }
  return undefined;
}
