import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const tests = ["**/*.test.ts", "src/testing/**", "src/**/fixtures/**"];
const plugIns = ["src/*/surfaces/**", "src/*/rules/**", "src/*/operators/**", "src/*/destinations/**"];
const focused = {
  selector: "MemberExpression[object.name=/^(it|test|describe|suite)$/][property.name=/^(only|skip|todo|fails)$/]",
  message: "A test on the main line runs, and runs with all the others.",
};
const anyClock = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: "Take the time from the Clock that is handed in.",
};
const processEnv = { object: "process", property: "env", message: "Settings are read once, in src/bin, and handed on." };

export default defineConfig(
  { ignores: ["node_modules/", "dist/", "data/", "coverage/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    name: "house/every-file",
    files: ["**/*.{js,mjs,cjs,ts}"],
    rules: {
      "max-lines": ["error", { max: 300, skipBlankLines: false, skipComments: false }],
      "max-lines-per-function": ["error", { max: 70, skipBlankLines: false, skipComments: false, IIFEs: true }],
      "max-depth": ["error", 4],
      complexity: ["error", { max: 20, variant: "modified" }],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-unreachable": "error",
      "no-constant-condition": ["error", { checkLoops: "allExceptWhileTrue" }],
      "no-async-promise-executor": "error",
      "no-unsafe-finally": "error",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
    },
  },
  {
    name: "house/typescript",
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { prefer: "type-imports", fixStyle: "separate-type-imports" }],
      // The compiler reports unused names, with the same exceptions everywhere.
      "@typescript-eslint/no-unused-vars": "off",
      // The few rules worth the type information they need.
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    name: "house/product",
    files: ["src/**/*.ts"],
    ignores: [...tests, "src/bin/**"],
    rules: {
      "no-console": "error",
      "no-restricted-properties": ["error", processEnv],
      "no-restricted-imports": ["error", { paths: [{ name: "node:process", importNames: ["env"], message: processEnv.message }] }],
    },
  },
  {
    name: "house/core-and-plug-ins",
    files: ["src/core/**/*.ts", ...plugIns],
    ignores: [...tests, "src/core/clock.ts"],
    rules: {
      "no-restricted-globals": ["error",
        { name: "fetch", message: "Input and output are handed in." },
        { name: "process", message: "Settings are handed in." },
        ...["setTimeout", "setInterval", "setImmediate"].map((name) => ({ name, message: "Timers belong to the stage that runs this." })),
      ],
      "no-restricted-properties": ["error", processEnv,
        { object: "Date", property: "now", message: anyClock.message },
        { object: "performance", property: "now", message: anyClock.message },
        { object: "Math", property: "random", message: "What is random is handed in." },
      ],
      "no-restricted-syntax": ["error", anyClock],
    },
  },
  {
    name: "house/tests",
    files: tests,
    rules: {
      "max-lines": ["error", { max: 500, skipBlankLines: false, skipComments: false }],
      // A describe block is a function too.
      "max-lines-per-function": "off",
      "no-restricted-syntax": ["error", focused],
    },
  },
);
