import { existsSync, readFileSync } from "node:fs";
import { pino } from "pino";
import type { Reached } from "../contracts/commit-step.ts";
import { startServer } from "./compose.ts";
import { readSettings, SettingsError } from "./settings.ts";

/** Runs the server until SIGTERM or SIGINT. Ends the process with 1 and one message when it cannot start. `reached` is for tests. */
export async function main(reached: Reached = () => undefined): Promise<void> {
  try {
    if (existsSync(".env")) process.loadEnvFile(".env");
    const settings = readSettings(process.env, process.cwd());
    const logger = pino({ level: settings.logLevel });
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
    const ending = new AbortController();
    const running = startServer({ settings, logger, version, signal: ending.signal, reached });
    endOnSignal(settings.shutdownDelayMs + settings.shutdownTimeoutMs, async () => {
      ending.abort();
      await (await running.catch(() => undefined))?.stop();
    });
    const { url, adminKey } = await running;
    process.stdout.write(`Tributary ${version} is ready on ${url} (docs at ${url}/docs, data in ${settings.dataDir})\n`);
    if (adminKey !== undefined) {
      process.stdout.write(`Admin key, shown once and kept in ${settings.dataDir}/admin-key: ${adminKey}\n`);
    }
  } catch (error) {
    process.stderr.write(`${error instanceof SettingsError || error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** The first signal stops in order; a second one, or `msMax` after the first, ends at once, which loses nothing that was accepted. */
function endOnSignal(msMax: number, stop: () => Promise<void>): void {
  let stopping = false;
  const fail = (message: string): never => {
    process.stderr.write(`${message}\n`);
    process.exit(1);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (stopping) fail("Told to stop twice: ended at once. What was accepted is kept, and the next start goes on with it.");
      stopping = true;
      setTimeout(() => fail(`Not stopped within ${msMax} ms: ended at once. What was accepted is kept, and the next start goes on with it.`), msMax).unref();
      stop().then(() => process.exit(0), (error: unknown) => fail(String(error)));
    });
  }
}
