import type { Operator } from "../../contracts/segment-rule.ts";
import { refuseCompound } from "../refuse-compound.ts";

export const notEquals: Operator = {
  name: "not_equals",
  summary: "The opposite of equals: true for another value, another type, and when the field is missing.",
  refuse: refuseCompound,
  evaluate: (found, expected) => found !== expected,
  examples: [
    { title: "the same text", found: "pro", expected: "pro", result: false },
    { title: "another text", found: "free", expected: "pro", result: true },
    { title: "another type", found: 31, expected: "31", result: true },
    { title: "the field is missing", expected: "pro", result: true },
  ],
};
