import type { Operator } from "../../contracts/segment-rule.ts";
import { equals } from "./equals.ts";
import { notEquals } from "./not-equals.ts";

/** Every operator that rules may name. */
export const operators: readonly Operator[] = [equals, notEquals];
