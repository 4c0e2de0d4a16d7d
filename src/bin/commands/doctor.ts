import type { Command } from "commander";
import { CommandError } from "./command-error.ts";
import { explainRefusal, readConnection, request } from "./server-connection.ts";

interface Health {
  status?: string;
  accepting?: boolean;
  checks?: Record<string, { ok: boolean; ms: number; detail?: string }>;
}

export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("ask the server how its parts are; exit code 1 when one is not well")
    .action(async () => {
      const connection = readConnection(process.env);
      const answer = await request(connection, "GET", "/api/cdp/health", { timeoutMs: 30_000 });
      const health = answer.body as Health | undefined;
      if (!health?.status) throw new CommandError(explainRefusal(connection, answer));
      for (const line of describeHealth(connection.url, health)) process.stdout.write(`${line}\n`);
      if (answer.status !== 200) process.exitCode = 1;
    });
}

function describeHealth(url: string, { status, accepting, checks }: Health): string[] {
  const lines = [`${url}: ${status ?? "unknown"}`];
  if (accepting !== undefined) lines.push(`accepting events: ${accepting ? "yes" : "no"}`);
  if (!checks) lines.push("The server shows its checks only to a valid API key: TRIBUTARY_API_KEY is not known there.");
  for (const [name, { ok, ms, detail }] of Object.entries(checks ?? {})) lines.push(`${name}: ${ok ? "ok" : `FAILED, ${detail ?? "no reason given"}`} (${ms} ms)`);
  return lines;
}
