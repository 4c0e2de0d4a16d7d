#!/usr/bin/env node
import { existsSync } from "node:fs";

// From a checkout the TypeScript runs as it is (Node strips the types); a package carries it stripped, in `dist/`.
const source = new URL("../src/bin/cli.ts", import.meta.url);
await import(existsSync(source) ? source.href : new URL("../dist/bin/cli.js", import.meta.url).href);
