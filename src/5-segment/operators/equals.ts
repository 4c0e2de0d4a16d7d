import type { Operator } from "../../contracts/segment-rule.ts";
import { refuseCompound } from "../refuse-compound.ts";

export const equals: Operator = {
  name: "equals",
  summary: "The field has exactly this value, of the same type; false when the field is missing.",
  refuse: refuseCompound,
  evaluate: (found, expected) => found === expected,
  examples: [
    { title: "the same text", found: "pro", expected: "pro", result: true },
    { title: "another text", found: "free", expected: "pro", result: false },
    { title: "case counts", found: "Pro", expected: "pro", result: false },
    { title: "the same number", found: 31, expected: 31.0, result: true },
    { title: "a number is no text", found: 31, expected: "31", result: false },
    { title: "true or false", found: true, expected: true, result: true },
    { title: "a list is not its entry", found: ["pro"], expected: "pro", result: false },
    { title: "the field is missing", expected: "pro", result: false },
  ],
};
