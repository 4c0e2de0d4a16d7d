import type { Logger } from "../contracts/logger.ts";

const ignore = () => undefined;

/** For tests that assert nothing about log lines. */
export const silentLog: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
