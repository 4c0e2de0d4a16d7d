#!/usr/bin/env node
import { existsSync } from "node:fs";

// From a checkout the TypeScript runs as it is (Node strips the types); from a package `dist/` holds it stripped.
const built = new URL("../dist/bin/cli.js", import.meta.url);
await import(existsSync(built) ? built.href : new URL("../src/bin/cli.ts", import.meta.url).href);
