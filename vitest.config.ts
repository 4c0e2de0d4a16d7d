import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tools/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ["src/testing/global-setup.ts"],
    setupFiles: process.env["PROPERTY_SEED"] ? ["src/testing/fix-seed.ts"] : [],
  },
});
